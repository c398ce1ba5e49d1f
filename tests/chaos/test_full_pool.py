"""All connections are in use: requests that wait too long get 503, and later ones succeed."""

from pathlib import Path

from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.outside import outside, writing
from tests.chaos.server import serving

CONNECTIONS = 3
SMALL = {"pool_size": CONNECTIONS, "pool_timeout_seconds": 0.5}
TURNED_AWAY = 20


async def test_a_full_pool_refuses_requests_and_recovers(
    postgres_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(postgres_url) as crowd,
        serving(postgres_url, tmp_path / "log", **SMALL) as server,
        outside(postgres_url) as other,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            async with other.holding_jobs():
                await other.sees_waiting(CONNECTIONS)
                await crowd.failures(TURNED_AWAY)

    await verdict("pool full", postgres_url, crowd, scale.times, {Result.UNAVAILABLE})


async def test_waiting_too_long_for_the_only_writer_is_503(
    sqlite_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(sqlite_url) as crowd,
        serving(sqlite_url, tmp_path / "log", lock_timeout_seconds=0.2) as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            with writing(sqlite_url):
                await crowd.failures(TURNED_AWAY)
                assert await crowd.clients[0].read("JB0") is Result.DONE

    await verdict("somebody else writes on and on", sqlite_url, crowd, scale.times, {Result.UNAVAILABLE})
