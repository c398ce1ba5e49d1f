"""Faults of the network between the server and PostgreSQL: cut, silent, slow."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.conftest import Durable, Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.outside import whole_pool_is_used
from tests.chaos.proxy import Proxy, proxy_to
from tests.chaos.server import serving

POOL = 3
IMPATIENT = {"request_timeout_seconds": 2, "statement_timeout_seconds": 2, "pool_timeout_seconds": 1}
SLOWLY_SECONDS = 0.01
TURNED_AWAY = 20
SILENCES = {
    "for a while": ("nothing comes through", Proxy.let_through),
    "for ever": ("nothing comes through, and the connections are forgotten", Proxy.forget),
}


async def test_cut_connections_are_replaced(durable: Durable, tmp_path: Path, scale: Scale, verdict: Verdict) -> None:
    async with (
        crowd_at(durable.url) as crowd,
        proxy_to(durable.server.socket) as proxy,
        serving(proxy.url(durable.url), tmp_path / "log", pool_size=POOL) as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            proxy.cut()
        await whole_pool_is_used(durable.url, POOL)

    await verdict("connections cut", durable.url, crowd, scale.times, {Result.UNAVAILABLE, Result.UNSURE})


@pytest.mark.parametrize("silence", SILENCES)
async def test_a_silent_database_causes_timeouts(
    silence: str, durable: Durable, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    fault, come_back = SILENCES[silence]
    async with (
        crowd_at(durable.url) as crowd,
        proxy_to(durable.server.socket) as proxy,
        serving(proxy.url(durable.url), tmp_path / "log", pool_size=POOL, **IMPATIENT) as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            proxy.swallow()
            unready, alive, _ = await asyncio.gather(
                server.status("/readyz"), server.status("/livez"), crowd.failures(TURNED_AWAY)
            )
            assert (unready, alive) == (503, 200)
            come_back(proxy)
            await server.ready()
        await whole_pool_is_used(durable.url, POOL)

    failures = {Result.UNAVAILABLE, Result.UNSURE}
    await verdict(fault, durable.url, crowd, scale.times, failures)


async def test_requests_succeed_on_a_slow_database(
    durable: Durable, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with (
        crowd_at(durable.url) as crowd,
        proxy_to(durable.server.socket) as proxy,
        serving(proxy.url(durable.url), tmp_path / "log") as server,
    ):
        proxy.delay_seconds = SLOWLY_SECONDS
        async with crowd.at_work(server):
            await crowd.changes(scale.changes)

    await verdict(f"each packet {SLOWLY_SECONDS * 1000:g} ms late", durable.url, crowd, 1, set())
