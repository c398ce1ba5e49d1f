"""Database URLs: SQLAlchemy's form for SQLite, libpq's for PostgreSQL (PostgreSQL documentation, 34.1.1.2)."""

import configparser
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from mainsheet.models.errors import MainsheetError

FORMS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
SCHEMES = {"postgresql", "postgres", "postgresql+asyncpg"}
# Those of SQLAlchemy that change neither which file is opened nor how, so that all commands use the same file.
SQLITE_PARAMETERS = {"cached_statements", "check_same_thread", "detect_types", "isolation_level", "timeout"}
ENCODE = "Percent-encode characters such as / ? # @ [ ] in a password."
HOST = re.compile(r"(\[[^\]]+\]|[^:\[\]]*)(:\d{1,5})?", re.ASCII)

# With several hosts, our default is `read-write`: libpq's is `any`, by which a standby would be taken for the primary.
ATTRIBUTES = "target_session_attrs"

# The parameters that the driver knows, and the values of those that it would check too late.
KNOWN = {
    **dict.fromkeys(("application_name", "dbname", "gsslib", "host", "krbsrvname", "options", "passfile", "password")),
    **dict.fromkeys(("port", "service", "sslcert", "sslcrl", "sslkey", "sslnegotiation", "sslpassword", "sslrootcert")),
    **dict.fromkeys(("ssl_max_protocol_version", "ssl_min_protocol_version", "user")),
    "sslmode": {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
    ATTRIBUTES: {"any", "primary", "standby", "read-write", "read-only", "prefer-standby"},
}
# These change nothing for us, with these values or any: the driver has other means, or none that is needed.
IGNORED = {
    **dict.fromkeys(("fallback_application_name", "keepalives", "keepalives_count", "keepalives_idle")),
    **dict.fromkeys(("keepalives_interval", "sslcompression", "sslsni", "tcp_user_timeout")),
    "channel_binding": {"disable", "prefer"},
    "client_encoding": {"auto", "utf8", "UTF8"},
    "gssencmode": {"disable", "prefer"},
    "load_balance_hosts": {"disable"},
}
TIMEOUT = "connect_timeout"
FILES = {"sslcert", "sslcrl", "sslkey", "sslrootcert"}
SERVICE = "service"
PASSWORD, PASSPHRASE = "password", "sslpassword"  # names of parameters


class BadDatabaseUrl(MainsheetError):
    """The URL of the database isn't supported; the message never has its password."""


@dataclass(frozen=True)
class DatabaseUrl:
    """A checked URL. `engine` is SQLAlchemy's; `connect` are the driver's arguments, which name what `engine` doesn't.

    `connect_seconds` is the time to connect in seconds, if the URL has one.
    """

    text: str
    engine: URL
    connect: dict[str, Any] = field(default_factory=dict)
    connect_seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check a URL. Raises `BadDatabaseUrl`."""
        scheme = text.partition(":")[0]
        if scheme in SCHEMES:
            return cls._postgresql(text)
        if scheme.partition("+")[0] != "sqlite":
            raise BadDatabaseUrl(f"The database URL isn't of the form {FORMS}")
        return cls._sqlite(text)

    @classmethod
    def _sqlite(cls, text: str) -> Self:
        try:
            url = make_url(text).set(drivername="sqlite+aiosqlite")
            if url.query:
                url.get_dialect()().create_connect_args(url)  # converts their values
        except (ArgumentError, ValueError):
            raise BadDatabaseUrl(f"The database URL isn't of the form {FORMS}") from None
        given = [name for name, _ in parse_qsl(text.partition("?")[2], keep_blank_values=True)]
        for name in set(given) - SQLITE_PARAMETERS:
            message = f"A SQLite URL has no parameter {name!a}; a ? in the name of its file is written %3F"
            raise BadDatabaseUrl(message)
        return cls(text, url)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database. None for PostgreSQL, and for a database in memory."""
        name = self.engine.database if self.is_sqlite else None
        return None if name in (None, "", ":memory:") else Path(str(name))

    @property
    def _parameters(self) -> dict[str, str]:
        """The parameters in PostgreSQL's URL."""
        return dict(parse_qsl(urlsplit(self.connect["dsn"]).query))

    @property
    def servers(self) -> Sequence[tuple[str, str]]:
        """The hosts of PostgreSQL's URL in their order, with ports that tell them apart, and a URL of each."""
        parts = urlsplit(self.connect["dsn"])
        user, at, netloc = parts.netloc.rpartition("@")
        query = self._parameters
        if netloc:
            return [(each, _text(f"{user}{at}{each}", parts.path, query)) for each in netloc.split(",")]
        hosts, ports = query.get("host", "").split(","), query.get("port", "").split(",")
        pairs = zip(hosts, ports if len(ports) > 1 else ports * len(hosts), strict=True)
        return [
            (
                host if hosts.count(host) == 1 else f"{host}:{port}",
                _text(parts.netloc, parts.path, query | _given(host=host, port=port)),
            )
            for host, port in pairs
        ]

    @property
    def password(self) -> str | None:
        """The password in PostgreSQL's URL: before the host, or as a parameter."""
        parts = urlsplit(self.connect["dsn"])
        return unquote(parts.password) if parts.password else self._parameters.get(PASSWORD)

    @property
    def has_passphrase(self) -> bool:
        """Whether PostgreSQL's URL has the passphrase of a client's key."""
        return PASSPHRASE in self._parameters

    @property
    def without_password(self) -> str:
        """PostgreSQL's URL for the command line of a program, which other users can read."""
        parts = urlsplit(str(self.connect["dsn"]))
        user, at, hosts = parts.netloc.rpartition("@")
        query = {name: value for name, value in self._parameters.items() if name != PASSWORD}
        return _text(f"{user.partition(':')[0]}{at}{hosts}", parts.path, query)

    def check_files(self) -> None:
        """Raise `BadDatabaseUrl` if a file of PostgreSQL's URL can't be read: the driver wouldn't name it."""
        parameters = self._parameters
        if SERVICE in parameters:
            _check_service(parameters[SERVICE])
        if parameters.get("sslmode") == "disable":
            return
        for name in FILES & parameters.keys():
            try:
                Path(parameters[name]).open("rb").close()
            except OSError as error:
                text = f"The database URL has {name}={parameters[name]!a}, which can't be read: {error.strerror}"
                raise BadDatabaseUrl(text) from None

    @classmethod
    def _postgresql(cls, text: str) -> Self:
        """Take the URL apart: the driver parses it again, but passes unknown parameters to the server."""
        try:
            parts = urlsplit(text)
            given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError:
            raise BadDatabaseUrl(f"The database URL isn't of the form {FORMS}. {ENCODE}") from None
        hosts = parts.netloc.rpartition("@")[2].split(",")
        if parts.fragment or parts.netloc.count("@") > 1 or not all(map(HOST.fullmatch, hosts)):
            raise BadDatabaseUrl(f"The database URL isn't of the form {FORMS}. {ENCODE}")
        seconds = _seconds(given.pop(TIMEOUT, None))
        kept = {name: value for name, value in given.items() if _is_kept(name, value)}
        _check_ports(kept.get("host", ""), kept.get("port", ""))
        if "," in parts.netloc.rpartition("@")[2] or "," in kept.get("host", ""):
            kept = {ATTRIBUTES: "read-write"} | kept
            if kept[ATTRIBUTES] == "prefer-standby":  # each host is tried alone, so a primary could win
                raise BadDatabaseUrl(
                    f"The database URL has several hosts, which {ATTRIBUTES}=prefer-standby can't have"
                )
        dsn = _text(parts.netloc, parts.path, kept)
        names = {} if "application_name" in kept else {"application_name": f"mainsheet/{version('mainsheet')}"}
        engine = URL.create("postgresql+asyncpg")
        return cls(text, engine, {"dsn": dsn, "server_settings": names}, seconds)


def _check_service(name: str) -> None:
    """Refuse a service that the driver doesn't find in its file of services: it would use its defaults instead."""
    file, services = os.environ.get("PGSERVICEFILE", "~/.pg_service.conf"), configparser.ConfigParser()
    try:
        services.read_string(Path(file).expanduser().read_text("utf-8"))
        problem = "" if name in services.sections() and dict(services[name]) else "doesn't define it"
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    except RuntimeError:
        problem = "can't be found: this user has no home directory"
    except (configparser.Error, UnicodeDecodeError):
        problem = "isn't a file of services"
    if problem:
        raise BadDatabaseUrl(f"The database URL has {SERVICE}={name!a}, but {file} {problem}")


def _given(**parameters: str) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}


def _check_ports(hosts: str, ports: str) -> None:
    """Refuse ports that aren't numbers, or are neither one for all hosts nor one for each."""
    given, count = ports.split(","), len(hosts.split(","))
    if not all(re.fullmatch(r"\d{0,5}", each, re.ASCII) for each in given):
        raise BadDatabaseUrl("The database URL has a port that isn't a number")
    if len(given) not in {1, count}:
        text = "The database URL must have one port for all hosts, or one for each"
        raise BadDatabaseUrl(f"{text}; hosts: {count}, ports: {len(given)}")


def _text(netloc: str, path: str, parameters: Mapping[str, str]) -> str:
    """Return a URL as libpq reads it: with `//` also before an empty host, and with `%20` for a space.

    With a service, a `/` without a name is left out: the driver would take it for an empty name, not for the service's.
    """
    path = "" if path == "/" and SERVICE in parameters else path
    query = urlencode(parameters, safe="/", quote_via=quote)
    return f"postgresql://{netloc}{path}{'?' if query else ''}{query}"


def _seconds(text: str | None) -> float | None:
    """Return the seconds to connect. As for libpq, 0 and negative numbers are no limit of the URL's."""
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise BadDatabaseUrl(f"The database URL has a {TIMEOUT} that isn't a number of seconds")
    return float(text) if int(text) > 0 else None


def _is_kept(name: str, value: str) -> bool:
    """Return whether the driver gets this parameter. Raises `BadDatabaseUrl` if we can't do what it asks for."""
    if name not in KNOWN and name not in IGNORED:
        if "@" in name + value:  # a password that has a question mark: its rest must not be shown
            raise BadDatabaseUrl(f"The database URL isn't of the form {FORMS}. {ENCODE}")
        near = get_close_matches(name, [*KNOWN, *IGNORED, TIMEOUT], 1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise BadDatabaseUrl(f"The database URL has the parameter {name!a}, which isn't supported{hint}")
    values = KNOWN.get(name) or IGNORED.get(name)
    if values and value not in values:
        raise BadDatabaseUrl(
            f"The database URL has {name}={value!a}, which isn't supported; these are: {', '.join(sorted(values))}"
        )
    return name in KNOWN
