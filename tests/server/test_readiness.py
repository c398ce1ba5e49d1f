"""Readiness while the database is busy, restarted, read-only, or has no room for connections."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from sqlalchemy import make_url

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.databases import connected, execute
from testbed.world import World
from tests.server.failing import Client, client, end_connections

READY, READ_ONLY = (200, None), (503, "The database is read-only.")
RENAME = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Renamed"}) { userErrors { code } } }'


pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def readiness(http: ClientSession) -> tuple[int, str | None]:
    async with http.get("/readyz") as response:
        return response.status, (await response.json()).get("reason")


@pytest.fixture
async def ask(database_url: str, world: World) -> AsyncIterator[Client]:
    served = Database.open(database_url, pool_size=2)
    async with client(served, world.contributor, token_cache_seconds=60) as asking:
        yield asking
    await served.close()


async def test_busy_connections_do_not_make_it_unready(ask: Client) -> None:
    held, writer = await ask.database.read_pool.take(), await ask.database.writes.connect()

    assert await readiness(ask.http) == READY

    await ask.database.read_pool.give_back(held)
    await writer.close()


async def test_a_database_without_room_for_connections_does_not_make_it_unready(
    ask: Client, postgres_server: str
) -> None:
    assert await readiness(ask.http) == READY
    name = make_url(ask.database.url).database
    await execute(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")

    assert await readiness(ask.http) == READY


async def test_ended_connections_do_not_make_it_unready(ask: Client, database: Database) -> None:
    assert await readiness(ask.http) == READY
    await end_connections(database)

    assert await readiness(ask.http) == READY


async def test_probes_at_the_same_time_share_one_check(ask: Client, database: Database) -> None:
    async with connected(database.url) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        before = await connection.fetchval(count)
        answers = await asyncio.gather(*(readiness(ask.http) for _ in range(20)))

        assert set(answers) == {READY}
        assert await connection.fetchval(count) <= before + 1


async def test_a_read_only_database_makes_it_unready_until_it_accepts_changes(
    ask: Client, world: World, database: Database, postgres_server: str
) -> None:
    job_id = await Ask(database).create_job(world.contributor, world)
    name = make_url(ask.database.url).database
    await execute(postgres_server, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await end_connections(database)

    refused = await ask(RENAME, id=job_id)
    assert (refused.status, refused.retry_after) == (503, "2")
    assert refused.message == "The database is read-only: it accepts no changes; nothing was changed."
    assert await readiness(ask.http) == READ_ONLY

    await execute(postgres_server, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert await readiness(ask.http) == READY
    assert (await ask(RENAME, id=job_id)).body["data"]["updateJob"]["userErrors"] == []
