"""Connections to one of several hosts, some of which can't be used."""

import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, text

from mainsheet.models.database import Database, Patience
from mainsheet.models.failures import failures_named
from mainsheet.models.unavailable import DatabaseDown
from testbed.databases import opened

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a host that accepts connections and never answers, as behind a network that is cut."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def with_hosts(database_url: str, hosts: str, ports: str, **parameters: str) -> str:
    url = make_url(database_url)
    user = url.username or ""
    more = "".join(f"&{name}={value}" for name, value in parameters.items())
    return f"postgresql://{user}@/{url.database}?host={hosts}&port={ports}{more}"


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_host_that_does_not_answer_is_passed_over(database_url: str, silent: int, is_first: bool) -> None:
    url = make_url(database_url)
    pairs = [("127.0.0.1", str(silent)), (str(url.query["host"]), "5432")]
    hosts, ports = map(",".join, zip(*(pairs if is_first else reversed(pairs)), strict=True))

    async with opened(with_hosts(database_url, hosts, ports)) as database, database.writes.connect() as connection:
        name = await connection.scalar(text("SELECT current_database()"))

    assert name == url.database


async def test_without_a_wanted_host_the_database_is_down(database_url: str) -> None:
    folder = str(make_url(database_url).query["host"])
    url = with_hosts(database_url, f"{folder},{folder}/", "5432", target_session_attrs="standby")
    database = Database.open(url, patience=Patience(connection=1))

    with pytest.raises(DatabaseDown), failures_named():
        await database.read_pool.take()

    await database.close()
