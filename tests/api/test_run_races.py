"""Sweeps and claims beside other transactions: none undoes what another commits, or waits in a deadlock."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.models.retention import Retention, prune
from mainsheet.resolvers.commands.run_sweep import sweep
from testbed.ask import Ask, config
from testbed.world import World, make_world
from tests.api.test_run_commands import claim, report, triggered
from tests.locks import until_waiting

PATIENCE = 10  # seconds
RUN = "{ runs { nodes { status attempt error { message } } } }"
# A clock half an hour ahead, so that leases have expired for the sweep. It waits for the test, after the snapshot.
LATE_CLOCK = """
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1);
  RETURN pg_catalog.clock_timestamp() + interval '30 minutes';
END $$
"""

# On SQLite, writers run one after the other.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


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

    async with database.writes.connect() as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        sweeping = asyncio.ensure_future(sweep(late))
        await until_waiting(database, sweeping)
        assert (await report(ask, world, run_id, state, leaseSeconds=3600))["userErrors"] == []
        await holder.rollback()

    assert await sweeping == 0
    kept = await ask(world.viewer, RUN)
    assert kept == {"runs": {"nodes": [{"status": state, "attempt": 1, "error": None}]}}


async def test_a_claim_passes_over_a_job_that_is_locked(database: Database) -> None:
    ask, world = Ask(database), await make_world(database)
    free, taken = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("free", "taken")]
    runs = [await triggered(ask, world, job_id) for job_id in (free, taken)]

    async with database.writes.connect() as canceller:  # it locks the job, and then the run
        await canceller.execute(text("SELECT id FROM job WHERE id = :id FOR NO KEY UPDATE"), {"id": taken})
        async with asyncio.timeout(PATIENCE):
            claimed = await claim(ask, world)
        await canceller.execute(text("SELECT id FROM job_run WHERE job_id = :id FOR UPDATE"), {"id": taken})
        await canceller.rollback()

    assert [each["run"]["id"] for each in claimed] == runs[:1]
    assert [each["run"]["id"] for each in await claim(ask, world)] == runs[1:]


async def test_a_claim_waits_for_the_only_job_that_has_ready_runs(database: Database) -> None:
    ask, world = Ask(database), await make_world(database)
    run_id = await triggered(ask, world, await ask.create_job(world.contributor, world))

    async with database.writes.connect() as other:
        await other.execute(text("SELECT id FROM job FOR NO KEY UPDATE"))
        claiming = asyncio.ensure_future(claim(ask, world))
        await until_waiting(database, claiming)
        await other.rollback()

    assert [each["run"]["id"] for each in await claiming] == [run_id]


async def ready_run_of_a_kept_text(ask: Ask, world: World, database: Database) -> str:
    """Return a run that can be claimed again. The text of its saved query is stored, but no run refers to it."""
    values = config(world, source={"savedQueries": {"queryIds": [world.queries[0].id]}}, maxRetries=1)
    run_id = await triggered(ask, world, await ask.create_job(world.contributor, world, config=values))
    await claim(ask, world)
    await report(ask, world, run_id, "FAILED")
    async with database.writes.begin() as connection:
        await connection.execute(text("DELETE FROM executed_query"))
    return run_id


async def test_a_text_that_a_claim_needs_is_kept(database: Database) -> None:
    ask, world = Ask(database), await make_world(database)
    await ready_run_of_a_kept_text(ask, world, database)

    async with database.writes.connect() as holder:
        await holder.execute(text("LOCK TABLE executed_query IN SHARE MODE"))
        claiming = asyncio.ensure_future(claim(ask, world))
        await until_waiting(database, claiming)
        deleted = await prune(database, Retention())
        await holder.rollback()

    assert deleted["saved_query_texts"] == 0
    (claimed,) = await claiming
    assert [each["sql"] for each in await executed(ask, world, claimed["run"]["id"])] == [world.queries[0].sql]


async def test_a_text_that_is_deleted_during_a_claim_is_stored_again(database: Database) -> None:
    ask, world = Ask(database), await make_world(database)
    run_id = await ready_run_of_a_kept_text(ask, world, database)

    async with database.writes.connect() as pruner:
        await pruner.execute(text("DELETE FROM saved_query_revision"))
        claiming = asyncio.ensure_future(claim(ask, world))
        await until_waiting(database, claiming)
        await pruner.commit()

    assert len(await claiming) == 1
    assert [each["sql"] for each in await executed(ask, world, run_id)] == [world.queries[0].sql]


async def executed(ask: Ask, world: World, run_id: str) -> list[dict[str, str]]:
    query = "query ($id: ID!) { node(id: $id) { ... on JobRun { executedQueries { sql } } } }"
    found: list[dict[str, str]] = (await ask(world.viewer, query, id=run_id))["node"]["executedQueries"]
    return found
