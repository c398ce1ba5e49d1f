"""Settings that are valid each, but don't fit together: no command runs with them."""

import re
from collections.abc import Iterator

from mainsheet.models.database_url import BadDatabaseUrl, DatabaseUrl
from mainsheet.server.settings import PREFIX, UNIX, Settings

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")
ALL_ORIGINS = "*"


def contradictions(settings: Settings) -> Iterator[str]:
    """Say what doesn't fit together, one sentence each."""
    yield from _of_database(settings)
    yield from _of_replicas(settings)
    yield from _of_admin_port(settings)
    yield from _of_origins(settings)
    yield from _of_issuer(settings)


def _of_database(settings: Settings) -> Iterator[str]:
    if not settings.database_url.startswith("sqlite"):
        return
    if settings.workers > 1:
        yield f"SQLite is for one process: {settings.workers} workers need PostgreSQL"
    if settings.database_pooling != "session":
        yield f"{PREFIX}DATABASE_POOLING={settings.database_pooling} is for PostgreSQL, not for SQLite"


def _of_replicas(settings: Settings) -> Iterator[str]:
    if not settings.replica_urls:
        return
    name = f"{PREFIX}REPLICA_URLS"
    if settings.database_url.startswith("sqlite"):
        yield f"{name} is for PostgreSQL, not for SQLite"
    if settings.database_pooling != "session":
        yield f"{name} needs {PREFIX}DATABASE_POOLING=session"
    for each in settings.replica_urls:
        yield from _of_replica(name, each)


def _of_replica(name: str, text: str) -> Iterator[str]:
    try:
        url = DatabaseUrl.parse(text)
    except BadDatabaseUrl as error:
        yield f"{name}: {str(error).removesuffix('.')}. Each of its URLs, separated by commas, has one host"
        return
    if url.is_sqlite:
        yield f"{name} is for PostgreSQL, not for SQLite"


def _of_admin_port(settings: Settings) -> Iterator[str]:
    if settings.admin_port is None:
        if settings.admin_host:
            yield f"{PREFIX}ADMIN_HOST needs {PREFIX}ADMIN_PORT"
    elif not settings.admin_hosts:
        yield f"{PREFIX}ADMIN_PORT needs {PREFIX}ADMIN_HOST, because {PREFIX}HOST has only {UNIX} addresses"
    elif settings.admin_port == settings.port != 0 and set(settings.admin_hosts) & set(settings.host):
        yield f"{PREFIX}ADMIN_PORT and {PREFIX}PORT are both {settings.port}: choose another one, or remove the first"


def _of_origins(settings: Settings) -> Iterator[str]:
    origins = settings.cors_origins
    if ALL_ORIGINS in origins and len(origins) > 1:
        yield f"{PREFIX}CORS_ORIGINS has {ALL_ORIGINS} beside other origins: remove it, or the others"
    for each in origins:
        if each != ALL_ORIGINS and not ORIGIN.fullmatch(each):
            yield f"{PREFIX}CORS_ORIGINS has {each!a}, which is no origin such as https://app.example"


def _of_issuer(settings: Settings) -> Iterator[str]:
    given = sorted(name for name in settings.model_fields_set if name.startswith("oidc_") and name != "oidc_file")
    if given and settings.oidc_file is not None:
        yield f"Give {PREFIX}OIDC_FILE or {PREFIX}{given[0].upper()}, not both"
    elif given and settings.oidc_issuer is None:
        yield f"{PREFIX}{given[0].upper()} needs {PREFIX}OIDC_ISSUER"
