"""A restart of PgBouncer under load: requests fail clearly, recover, and no acknowledged change is lost."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from testbed.pgbouncer import pooler
from tests.chaos.conftest import Durable, Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.server import serving
from tests.server.test_pooler import set_all

TURNED_AWAY = 20


async def test_a_restart_of_the_pooler_loses_no_acknowledged_change(
    durable: Durable, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    await set_all(durable.url, durable.server.url)
    with pooler(durable.url) as pgbouncer, ExitStack() as started:
        started.enter_context(pgbouncer.running())
        async with (
            crowd_at(durable.url) as crowd,
            serving(pgbouncer.url, tmp_path / "log", database_pooling="transaction") as server,
            crowd.at_work(server),
        ):
            async for _ in crowd.rounds(scale):
                await asyncio.to_thread(started.close)
                await crowd.failures(TURNED_AWAY)
                await asyncio.to_thread(started.enter_context, pgbouncer.running())

    await verdict("PgBouncer restarted", durable.url, crowd, scale.times, {Result.UNAVAILABLE, Result.UNSURE})
