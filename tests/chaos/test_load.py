"""Two processes on one PostgreSQL serve mixed reads and writes without errors."""

import asyncio
from pathlib import Path

from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.server import serving

CLIENTS = 16


async def test_two_workers_serve_a_load_without_errors(
    postgres_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(postgres_url, size=CLIENTS) as crowd,
        serving(postgres_url, tmp_path / "log", "--workers", "2") as server,
    ):
        async with crowd.at_work(server):
            await asyncio.sleep(scale.seconds)
        assert await server.stop() == 0

    await verdict(f"none, 2 workers for {scale.seconds:g} s", postgres_url, crowd, 0, set())
