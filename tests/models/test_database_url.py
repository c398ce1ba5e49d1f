"""URLs of databases as managed services give them."""

from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from mainsheet.models.database import Database
from mainsheet.models.database_url import BadDatabaseUrl, DatabaseUrl

USUAL = "postgresql://ada:p%40ss@db.example:5432/jobs"


@pytest.mark.parametrize(
    "url",
    [
        USUAL,
        USUAL.replace("postgresql", "postgres"),
        f"{USUAL}?sslmode=require",
        f"{USUAL}?sslmode=verify-full&sslrootcert=/etc/ssl/root.pem&channel_binding=prefer",
        f"{USUAL}?keepalives=1&keepalives_idle=30&gssencmode=disable&client_encoding=utf8",
        "postgresql://ada@one.example:5432,two.example,[::1]:5434/jobs?target_session_attrs=read-write",
        "postgresql:///jobs?host=/var/run/postgresql&user=ada",
    ],
)
def test_urls_of_libpq_are_taken(url: str) -> None:
    assert not DatabaseUrl.parse(url).is_sqlite


def test_the_driver_gets_what_it_knows() -> None:
    url = DatabaseUrl.parse(f"{USUAL}?sslmode=require&keepalives=1&connect_timeout=7")

    assert url.connect["dsn"] == f"{USUAL}?sslmode=require"
    assert url.connect_seconds == 7


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        (USUAL, {"db.example:5432": USUAL}),
        (
            "postgresql://ada:p%2C@one,[::1]:5434/jobs?sslmode=require",
            {
                "one": "postgresql://ada:p%2C@one/jobs?target_session_attrs=read-write&sslmode=require",
                "[::1]:5434": "postgresql://ada:p%2C@[::1]:5434/jobs?target_session_attrs=read-write&sslmode=require",
            },
        ),
        (
            "postgresql:///jobs?target_session_attrs=any&host=one,/run/two&port=1,2",
            {
                "one": "postgresql:///jobs?target_session_attrs=any&host=one&port=1",
                "/run/two": "postgresql:///jobs?target_session_attrs=any&host=/run/two&port=2",
            },
        ),
        (
            "postgresql://ada:a,b@/jobs?host=/run/one&port=7",
            {"/run/one": "postgresql://ada:a,b@/jobs?host=/run/one&port=7"},
        ),
    ],
)
def test_each_host_has_a_url_of_its_own(url: str, servers: dict[str, str]) -> None:
    assert DatabaseUrl.parse(url).servers == list(servers.items())


def test_hosts_may_differ_by_their_ports_alone() -> None:
    ports = [("a:1", "a", "1"), ("a:2", "a", "2"), ("b", "b", "3")]

    servers = DatabaseUrl.parse("postgresql:///jobs?target_session_attrs=any&host=a,a,b&port=1,2,3").servers

    assert servers == [
        (name, f"postgresql:///jobs?target_session_attrs=any&host={host}&port={port}") for name, host, port in ports
    ]


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_file_that_cant_be_read_is_named(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "ca.pem"

    with pytest.raises(BadDatabaseUrl) as refused:
        Database.open(f"{USUAL}?{name}={missing}")

    reason = "which can't be read: No such file or directory"
    assert str(refused.value) == f"The database URL has {name}={str(missing)!a}, {reason}"
    Database.open(f"{USUAL}?{name}={missing}&sslmode=disable")


@pytest.mark.parametrize(
    ("services", "problem"),
    [
        (None, "can't be read: No such file or directory"),
        ("[other]\nhost=db.example\n", "doesn't define it"),
        ("host=db.example\n", "isn't a file of services"),
        ("[jobs]\npassword=100%secret\n", "isn't a file of services"),
    ],
)
def test_a_service_that_is_not_found_is_refused(
    services: str | None, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "services.conf"
    if services:
        file.write_text(services)
    monkeypatch.setenv("PGSERVICEFILE", str(file))

    with pytest.raises(BadDatabaseUrl) as refused:
        Database.open("postgresql:///?service=jobs&sslmode=disable")

    assert str(refused.value) == f"The database URL has service='jobs', but {file} {problem}"


async def test_a_service_is_taken_from_its_file(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgres_url)
    file = tmp_path / "services.conf"
    file.write_text(f"[jobs]\nhost={url.query['host']}\nuser={url.username}\ndbname={url.database}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))

    database = Database.open("postgresql:///?service=jobs")
    async with database.reads.connect() as connection:
        assert (await connection.execute(text("SELECT current_database()"))).scalar_one() == url.database
    await database.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (USUAL, "postgresql://ada@db.example:5432/jobs"),
        ("postgresql:///jobs?host=/run/postgresql&password=p", "postgresql:///jobs?host=/run/postgresql"),
        (
            "postgres:///?options=-c%20search_path%3Dours%20-cjit%3Don",
            "postgresql:///?options=-c%20search_path%3Dours%20-cjit%3Don",
        ),
        (
            "postgresql://ada:p@/jobs?application_name=a%26b%2B%C3%A9",
            "postgresql://ada@/jobs?application_name=a%26b%2B%C3%A9",
        ),
    ],
)
def test_the_url_for_programs_of_postgresql_is_read_by_libpq(url: str, shown: str) -> None:
    assert DatabaseUrl.parse(url).without_password == shown


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "sqlite:///FILE"),
        ("nonsense", "sqlite:///FILE"),
        ("mysql://localhost/x", "postgresql://USER"),
        ("sqlite:////data/q?ird.db", "a ? in the name of its file is written %3F"),
        ("sqlite:///file:jobs.db?uri=true", "A SQLite URL has no parameter 'uri'"),
        ("sqlite:///jobs.db?timeout=soon", "sqlite:///FILE"),
        (f"{USUAL}?sslmod=require", "did you mean sslmode?"),
        (f"{USUAL}?sslmode=on", "sslmode='on'"),
        (f"{USUAL}?channel_binding=require", "channel_binding='require'"),
        (f"{USUAL}?gssencmode=require", "gssencmode='require'"),
        (f"{USUAL}?connect_timeout=soon", "connect_timeout"),
        (f"{USUAL}?sslmode", "sqlite:///FILE"),
        (f"{USUAL}?schema=public", "'schema'"),
        ("postgresql:///jobs?host=a,b,c&port=1,2", "hosts: 3, ports: 2"),
        ("postgresql:///jobs?host=a&port=1,2", "hosts: 1, ports: 2"),
        ("postgresql:///jobs?host=a&port=many", "a port that isn't a number"),
        (f"{USUAL}#fragment", "Percent-encode"),
        ("postgresql://ada:pa/ss@db.example/jobs", "Percent-encode"),
        ("postgresql://ada@db.example:many/jobs", "Percent-encode"),
        ("postgresql://ada@[::1/jobs", "sqlite:///FILE"),
        ("postgresql://ada:1@p%40ss@db.example/jobs", "Percent-encode"),
        ("postgresql://ada:1?p%40ss@db.example/jobs", "Percent-encode"),
        ("postgresql://ada:1[p%40ss@db.example/jobs", "Percent-encode"),
        ("postgresql://ada:1?p%40ss@db.example/jobs?sslmode=disable", "Percent-encode"),
    ],
)
def test_other_urls_are_refused_without_their_password(url: str, said: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        DatabaseUrl.parse(url)

    assert said in str(refused.value)
    assert "p%40ss" not in str(refused.value)


async def test_a_url_of_libpq_connects(postgres_url: str) -> None:
    parts = make_url(postgres_url)
    socket = parts.query["host"]
    url = (
        f"postgresql://{parts.username}@/{parts.database}?host=/nowhere/at/all,{socket}&sslmode=prefer"
        "&connect_timeout=5&options=-c%20work_mem%3D8MB&tcp_user_timeout=1000"
    )

    shown = await _shown(url, "work_mem", "application_name", "jit")

    assert shown[0] == "8MB"
    assert shown[1].startswith("mainsheet/")
    assert shown[2] == "off"
    assert await _shown(f"{url}&application_name=ours", "application_name") == ["ours"]


async def _shown(url: str, *names: str) -> list[str]:
    database = Database.open(url)
    try:
        async with database.reads.connect() as connection:
            return [str(await connection.scalar(text(f"SHOW {name}"))) for name in names]
    finally:
        await database.close()


def test_several_hosts_cant_prefer_a_standby() -> None:
    one = f"{USUAL}?target_session_attrs=prefer-standby"

    assert DatabaseUrl.parse(one).servers
    with pytest.raises(BadDatabaseUrl, match="several hosts"):
        DatabaseUrl.parse(one.replace("5432", "5432,two.example"))
