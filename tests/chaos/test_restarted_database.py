"""A restart of PostgreSQL under load: requests fail clearly, recover, and no acknowledged change is lost."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.conftest import Durable, Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.server import serving

FAULTS = {"fast": "PostgreSQL restarted", "immediate": "PostgreSQL crashed"}


@pytest.mark.parametrize("mode", FAULTS)
async def test_a_restart_loses_no_acknowledged_change(
    durable: Durable, mode: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(durable.url) as crowd,
        serving(durable.url, tmp_path / "log") as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            await asyncio.to_thread(durable.server.restart, mode)

    await verdict(FAULTS[mode], durable.url, crowd, scale.times, {Result.UNAVAILABLE, Result.UNSURE})
