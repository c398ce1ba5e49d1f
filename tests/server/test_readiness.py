"""Readiness on PostgreSQL, and while a process stops."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import pytest
from aiohttp import ClientSession
from sqlalchemy import make_url

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.databases import connected, execute
from testbed.world import World, make_world
from tests.server.commands import PATIENCE, Serving, serving
from tests.server.failing import Client, client, end_connections

READY, READ_ONLY, STOPPING = (200, None), (503, "The database is read-only."), (503, "The process is stopping.")
RENAME = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Renamed"}) { userErrors { code } } }'


async def readiness(http: ClientSession, url: str = "") -> tuple[int, str | None]:
    async with http.get(f"{url}/readyz") as response:
        return response.status, (await response.json()).get("reason")


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[Database]:
    database = Database.open(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def world(other: Database) -> World:
    return await make_world(other)


@pytest.fixture
async def ask(postgres_url: str, world: World) -> AsyncIterator[Client]:
    database = Database.open(postgres_url, pool_size=2)
    async with client(database, world.contributor, token_cache_seconds=60) as asking:
        yield asking
    await database.close()


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


async def test_ended_connections_do_not_make_it_unready(ask: Client, other: Database) -> None:
    assert await readiness(ask.http) == READY
    await end_connections(other)

    assert await readiness(ask.http) == READY


async def test_probes_at_the_same_time_share_one_check(ask: Client, other: Database) -> None:
    async with connected(other.url) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        before = await connection.fetchval(count)
        answers = await asyncio.gather(*(readiness(ask.http) for _ in range(20)))

        assert set(answers) == {READY}
        assert await connection.fetchval(count) <= before + 1


async def test_a_read_only_database_makes_it_unready_until_it_accepts_changes(
    ask: Client, world: World, other: Database, postgres_server: str
) -> None:
    job_id = await Ask(other).create_job(world.contributor, world)
    name = make_url(ask.database.url).database
    await execute(postgres_server, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await end_connections(other)

    refused = await ask(RENAME, id=job_id)
    assert (refused.status, refused.retry_after) == (503, "2")
    assert refused.message == "The database is read-only: it accepts no changes; nothing was changed."
    assert await readiness(ask.http) == READ_ONLY

    await execute(postgres_server, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert await readiness(ask.http) == READY
    assert (await ask(RENAME, id=job_id)).body["data"]["updateJob"]["userErrors"] == []


@contextmanager
def stopping(environment: Mapping[str, str], *arguments: str) -> Iterator[Serving]:
    more = {"MAINSHEET_ADMIN_PORT": "0", "MAINSHEET_DRAIN_SECONDS": str(PATIENCE), **environment}
    with serving(*arguments, environment=more) as server:
        yield server


async def withdrawn(http: ClientSession, server: Serving) -> None:
    """Send SIGTERM, and wait until the server isn't ready."""
    server.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        while await readiness(http, server.admin_url) != STOPPING:  # noqa: ASYNC110 another process
            await asyncio.sleep(0.02)


async def test_a_stopping_process_answers_but_is_not_ready(database_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": database_url}) as server:
        async with ClientSession() as http:
            assert await readiness(http, server.admin_url) == READY
            await withdrawn(http, server)

            assert (await http.get(server.url, params={"query": "{ __typename }"})).status == 401

        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == -signal.SIGTERM  # it doesn't wait any longer


async def test_workers_answer_while_they_drain(postgres_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": postgres_url}, "--workers", "2") as server:
        async with ClientSession() as http:
            await withdrawn(http, server)

            assert (await http.get(server.url, params={"query": "{ __typename }"})).status == 401


async def test_ctrl_c_does_not_wait(sqlite_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_DRAIN_SECONDS": "3600"}) as server:
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(PATIENCE) == 0


async def test_a_drained_process_stops(sqlite_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_DRAIN_SECONDS": "0.1"}) as server:
        assert server.stop() == 0


async def test_the_admin_port_has_the_health_checks_and_metrics_alone(sqlite_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url}) as server:
        async with ClientSession() as http:
            for path in ("/livez", "/readyz", "/metrics"):
                assert (await http.get(f"{server.admin_url}{path}")).status == 200
                assert (await http.get(server.url.replace("/graphql", path))).status == 404
            assert (await http.get(f"{server.admin_url}/graphql")).status == 404
