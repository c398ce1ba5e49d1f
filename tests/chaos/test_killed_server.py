"""Processes killed by SIGKILL during mutations: exactly the acknowledged changes are stored."""

from pathlib import Path

from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.server import serving


async def test_a_killed_server_loses_no_acknowledged_change(
    database_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(database_url) as crowd,
        serving(database_url, tmp_path / "log") as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            await server.kill()
            await server.start()

    await verdict("server killed by SIGKILL", database_url, crowd, scale.times, {Result.CUT})


async def test_a_killed_worker_loses_no_acknowledged_change(
    postgres_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(postgres_url) as crowd,
        serving(postgres_url, tmp_path / "log", "--workers", "2") as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            await server.kill_a_worker(of=2)

    await verdict("one of two workers killed by SIGKILL", postgres_url, crowd, scale.times, {Result.CUT})
