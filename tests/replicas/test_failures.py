"""When a replica fails, the query is read from the primary in the same request."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy.util.concurrency import greenlet_spawn
from structlog.testing import capture_logs

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.server.http.consistency import ANY, UNKNOWN
from testbed.ask import job_input
from testbed.databases import connected, execute
from testbed.postgres import Postgres, standby_of
from testbed.world import World
from tests.chaos.outside import Outside
from tests.chaos.standbys import DATABASE, direct_url
from tests.replicas.conftest import Client, replayed, serving
from tests.replicas.test_reads import CREATE, JOBS, count

EVENTS = "query ($id: ID!) { job(id: $id) { name events(first: 1) { nodes { action } } } }"
LOCK = "BEGIN; LOCK TABLE job IN ACCESS EXCLUSIVE MODE; COMMIT"

FROM_SESSIONS = f"FROM pg_stat_activity WHERE datname = '{DATABASE}' AND application_name LIKE 'mainsheet/%'"
SESSIONS = f"SELECT count(*) {FROM_SESSIONS}"


class AfterFirstStatement(Instrumentation):
    """Runs something after the first statement on a replica, before the next one."""

    def __init__(self, client: Client, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.client = client
        self.run = run
        self.is_done = False

    def statement(self, sql: str, seconds: float) -> None:
        if self.client.routes.taken and not self.is_done:
            self.is_done = True
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(self.run())).result()


async def test_a_recovery_conflict_is_answered_by_the_primary(
    ask: Client, database: Database, world: World, primary: Postgres, standby: Postgres
) -> None:
    async def conflict() -> None:
        await execute(direct_url(primary), LOCK)
        await replayed(primary, standby)

    created = await ask(CREATE, input=job_input(world))
    await ask.until_used(created.token)
    fault = AfterFirstStatement(ask, conflict)
    database.instrumentation.add(fault)

    read = await ask(EVENTS, created.token, id=created.data["createJob"]["job"]["id"])

    assert fault.is_done
    assert read.data["job"]["events"]["nodes"] == [{"action": "JOB_CREATED"}]
    assert ask.routes.taken == ["replica", "failed"]


async def test_a_replica_that_stops_is_left_and_used_again(database: Database, world: World, primary: Postgres) -> None:
    with standby_of(primary) as standby:
        async with serving(database, world.contributor, [standby]) as ask:
            created = await ask(CREATE, input=job_input(world))
            await ask.until_used(created.token)
            await ask(JOBS, created.token)

            await asyncio.to_thread(standby.stop, "immediate")
            while_stopped = [await ask(JOBS, created.token) for _ in range(3)]
            await asyncio.to_thread(standby.restart, "fast")
            await ask.until_used(created.token)
            again = await ask(JOBS, created.token)

    assert [count(each.data) for each in (*while_stopped, again)] == [1, 1, 1, 1]
    first, *meanwhile, last = ask.routes.taken
    assert (first, last) == ("replica", "replica")
    assert meanwhile.count("failed") == meanwhile.count("replica")
    assert meanwhile.count("failed") + meanwhile.count("behind") == len(while_stopped)
    assert UNKNOWN not in [each.token for each in while_stopped]


async def test_a_replica_that_was_promoted_is_not_read(database: Database, world: World, primary: Postgres) -> None:
    with standby_of(primary) as standby:
        async with serving(database, world.contributor, [standby]) as ask:
            created = await ask(CREATE, input=job_input(world))
            await ask.until_used(created.token)
            await ask(JOBS, created.token)
            await asyncio.to_thread(standby.promote)
            await ask.until_unused()

            read = await ask(JOBS, ANY)
            async with connected(standby.url) as connection:
                await Outside(connection, connection).sees(SESSIONS, 1)  # that of the probe

    assert count(read.data) == 1
    assert ask.routes.taken == ["replica", "behind"]


async def test_a_replica_is_used_again_after_an_unexpected_error(ask: Client, standby: Postgres) -> None:
    await ask.until_used()
    [replica] = ask.replicas.all
    broken = await replica.pool.take()
    await greenlet_spawn(broken.invalidate)

    async with connected(standby.url) as connection:
        before = await connection.fetchval("SELECT clock_timestamp()::text")
        await connection.execute(f"SELECT pg_terminate_backend(pid) {FROM_SESSIONS}")  # the probe's among them
        await Outside(connection, connection).sees(f"{SESSIONS} AND backend_start > '{before}'", 1)

    await ask.until_used()
    read = await ask(JOBS, ANY)

    assert count(read.data) == 0
    assert ask.routes.taken == ["replica"]


async def test_a_replica_that_fails_repeatedly_is_logged_once(ask: Client) -> None:
    await ask.until_used()
    [replica] = ask.replicas.all

    with capture_logs() as log:
        for _ in range(3):
            replica.leave("it failed")
            await ask.until_used()

    assert [each["reason"] for each in log if each["event"] == "replica not used"] == ["it failed"]
    assert [each for each in log if each["event"] == "replica used"] == []  # was logged a moment ago
