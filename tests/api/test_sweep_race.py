"""A sweep doesn't undo what is committed between its snapshot and its locks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.resolvers.commands.run_sweep import sweep
from testbed.ask import Ask
from testbed.world import make_world
from tests.api.test_meanwhile import WAITING
from tests.api.test_run_commands import claim, report, triggered

RUN = "{ runs { nodes { status attempt error { message } } } }"
# A clock half an hour ahead, so that leases have expired for the sweep. It waits for the test, after the snapshot.
LATE_CLOCK = """
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1);
  RETURN pg_catalog.clock_timestamp() + interval '30 minutes';
END $$
"""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """Skip SQLite, where writers run one after the other."""
    database = Database.open(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def late(database: Database, postgres_url: str) -> AsyncIterator[Database]:
    """The same database with the other clock."""
    async with database.writes.begin() as connection:
        await connection.execute(text(LATE_CLOCK))
    url = f"{postgres_url}{'&' if '?' in postgres_url else '?'}options=-csearch_path%3Dpublic,pg_catalog"
    late = Database.open(url)
    yield late
    await late.close()


@pytest.mark.parametrize("state", ["SUCCEEDED", "RUNNING"])
async def test_a_report_during_a_sweep_is_kept(database: Database, late: Database, state: str) -> None:
    ask, world = Ask(database), await make_world(database)
    run_id = await triggered(ask, world, await ask.create_job(world.contributor, world))
    await claim(ask, world)

    async with database.writes.connect() as holder, database.reads.connect() as watch:
        await holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        sweeping = asyncio.ensure_future(sweep(late))
        watching = await watch.execution_options(isolation_level="AUTOCOMMIT")
        while not await watching.scalar(text(WAITING)):
            assert not sweeping.done(), "it should wait"
        assert (await report(ask, world, run_id, state, leaseSeconds=3600))["userErrors"] == []
        await holder.rollback()

    assert await sweeping == 0
    kept = await ask(world.viewer, RUN)
    assert kept == {"runs": {"nodes": [{"status": state, "attempt": 1, "error": None}]}}
