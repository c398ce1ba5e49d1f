"""Settings that don't fit together are refused by every command."""

import pytest

from tests.server.commands import invoke
from tests.server.test_cli import refused

PRIMARY = "postgresql://one/jobs"
ISSUER = {"OIDC_ISSUER": "https://issuer.example", "OIDC_AUDIENCE": "jobs", "OIDC_ORGANIZATION": "OR1"}


def named(settings: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"WORKERS": "2"}, "SQLite is for one process: 2 workers need PostgreSQL"),
        (
            {"DATABASE_POOLING": "transaction"},
            "MAINSHEET_DATABASE_POOLING=transaction is for PostgreSQL, not for SQLite",
        ),
        ({"REPLICA_URLS": PRIMARY}, "MAINSHEET_REPLICA_URLS is for PostgreSQL, not for SQLite"),
        (
            {"DATABASE_URL": PRIMARY, "REPLICA_URLS": "postgresql://two,three/jobs"},
            "postgresql://USER:PASSWORD@HOST/NAME. Each of its URLs, separated by commas, has one host",
        ),
        (
            {"DATABASE_URL": PRIMARY, "REPLICA_URLS": "postgresql://ada:a#b@two/jobs"},
            "in a password. Each of its URLs",
        ),
        ({"DATABASE_URL": PRIMARY, "REPLICA_URLS": "sqlite:///a"}, "MAINSHEET_REPLICA_URLS is for PostgreSQL"),
        ({"DATABASE_URL": PRIMARY, "REPLICA_URLS": "http://two/"}, "MAINSHEET_REPLICA_URLS: The database URL"),
        (
            {"DATABASE_URL": PRIMARY, "REPLICA_URLS": "postgresql://two/jobs", "DATABASE_POOLING": "transaction"},
            "MAINSHEET_REPLICA_URLS needs MAINSHEET_DATABASE_POOLING=session",
        ),
        ({"ADMIN_HOST": "127.0.0.1"}, "MAINSHEET_ADMIN_HOST needs MAINSHEET_ADMIN_PORT"),
        ({"ADMIN_PORT": "1", "HOST": "unix:/a,unix:/b"}, "MAINSHEET_ADMIN_PORT needs MAINSHEET_ADMIN_HOST"),
        ({"ADMIN_PORT": "8000"}, "MAINSHEET_ADMIN_PORT and MAINSHEET_PORT are both 8000"),
        ({"CORS_ORIGINS": "*,https://app.example"}, "MAINSHEET_CORS_ORIGINS has * beside other origins"),
        (
            {"CORS_ORIGINS": "https://app.example/"},
            "MAINSHEET_CORS_ORIGINS has 'https://app.example/', which is no origin",
        ),
        ({"CORS_ORIGINS": "app.example"}, "'app.example', which is no origin"),
        ({"CORS_ORIGINS": "null"}, "'null', which is no origin"),
        ({"OIDC_AUDIENCE": "jobs"}, "MAINSHEET_OIDC_AUDIENCE needs MAINSHEET_OIDC_ISSUER"),
        (
            {"OIDC_FILE": "issuers", "OIDC_SCOPES": "READ"},
            "Give MAINSHEET_OIDC_FILE or MAINSHEET_OIDC_SCOPES, not both",
        ),
        ({"HOST": ","}, "MAINSHEET_HOST"),
        ({"SOCKET_MODE": "rw"}, "MAINSHEET_SOCKET_MODE"),
    ],
    ids=lambda value: "" if isinstance(value, str) else named(value),
)
def test_contradictions_print_one_line(settings: dict[str, str], said: str) -> None:
    environment = {f"MAINSHEET_{name}": value for name, value in settings.items()}

    assert said in refused(invoke("settings", **environment))


@pytest.mark.parametrize(
    "settings",
    [
        {"WORKERS": "2", "DATABASE_POOLING": "transaction", "DATABASE_URL": PRIMARY},
        {"DATABASE_URL": PRIMARY, "REPLICA_URLS": "postgresql://two/jobs,postgresql:///jobs?host=/run/three"},
        {"ADMIN_PORT": "8000", "ADMIN_HOST": "10.0.0.1"},
        {"ADMIN_PORT": "0", "PORT": "0"},
        {"CORS_ORIGINS": "https://app.example,http://localhost:3000,capacitor://localhost"},
        {"CORS_ORIGINS": "*"},
        ISSUER | {"OIDC_JWKS_FILE": "keys"},
        {"OIDC_FILE": "issuers"},
    ],
    ids=named,
)
def test_settings_that_fit_are_taken(settings: dict[str, str]) -> None:
    environment = {f"MAINSHEET_{name}": value for name, value in settings.items()}

    assert invoke("settings", **environment).returncode == 0
