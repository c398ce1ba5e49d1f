"""Clients that disconnect before the response: queries are cancelled, changes are finished."""

import asyncio
from pathlib import Path

from tests.chaos.client import READ
from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.outside import outside, whole_pool_is_used
from tests.chaos.server import serving

RESTLESSNESS = 0.4
READERS, WRITERS = 2, 1
LONG = {"pool_size": 2, "lock_timeout_seconds": 60, "statement_timeout_seconds": 60, "request_timeout_seconds": 60}


async def test_a_disconnect_cancels_the_query_and_keeps_the_connection(postgres_url: str, tmp_path: Path) -> None:
    async with (
        crowd_at(postgres_url, size=1) as crowd,
        serving(postgres_url, tmp_path / "log", **LONG) as server,
        outside(postgres_url) as other,
    ):
        client = crowd.clients[0]
        client.server = server
        async with other.holding_jobs():
            asking = asyncio.create_task(client.ask(READ, id="JB0"))
            await other.sees_waiting(1)
            asking.cancel()
            await other.sees_waiting(0)

        assert await client.read("JB0") is Result.DONE


async def test_a_change_is_finished_after_a_disconnect(postgres_url: str, tmp_path: Path) -> None:
    async with (
        crowd_at(postgres_url, size=1) as crowd,
        serving(postgres_url, tmp_path / "log", **LONG) as server,
        outside(postgres_url) as other,
    ):
        client = crowd.clients[0]
        client.server = server
        async with other.holding_jobs():
            asking = asyncio.create_task(client.change(crowd.steps.create_job("left-alone")))
            await other.sees_waiting(1)
            asking.cancel()
            await asyncio.wait([asking])

        await other.sees("SELECT count(*) FROM event JOIN job ON job.id = event.job_id WHERE job_key = 'left-alone'", 1)
        assert await client.read("JB0") is Result.DONE


async def test_disconnects_keep_the_data_consistent(
    database_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with crowd_at(database_url) as crowd, serving(database_url, tmp_path / "log") as server:
        crowd.let_leave(RESTLESSNESS)
        async with crowd.at_work(server):
            async for _ in crowd.rounds(scale):
                pass  # the clients themselves are the fault
        assert await server.stop() == 0  # all running changes are finished

    times = crowd.ledger.answers[Result.CUT]
    await verdict("clients leave", database_url, crowd, times, {Result.CUT})


async def test_disconnects_leak_no_connections(postgres_url: str, tmp_path: Path, scale: Scale) -> None:
    async with (
        crowd_at(postgres_url) as crowd,
        serving(postgres_url, tmp_path / "log", pool_size=READERS + WRITERS) as server,
        crowd.at_work(server),
    ):
        crowd.let_leave(RESTLESSNESS)
        await crowd.changes(scale.changes)

        await whole_pool_is_used(postgres_url, READERS + WRITERS)
