"""A run keeps the saved queries that it executes, as they were at its last claim."""

import asyncio

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.executed_query import SavedQueryRevision
from mainsheet.models.retention import Retention, prunable, prune
from testbed.ask import Ask, config
from testbed.world import World
from tests.api.test_run_commands import claim, do, report, triggered

EXECUTED = """
query ($id: ID!) {
  node(id: $id) { ... on JobRun { executedQueries { name revision sql savedQuery { sql } } } }
}
"""


async def test_a_run_keeps_the_saved_queries_that_it_executes(ask: Ask, world: World) -> None:
    query = world.queries[0]
    job_id = await ask.create_job(
        world.contributor, world, config=config(world, source={"savedQueries": {"queryIds": [query.id]}}, maxRetries=1)
    )
    run_id = await triggered(ask, world, job_id)
    before = (await ask(world.viewer, EXECUTED, id=run_id))["node"]["executedQueries"]

    await claim(ask, world)
    changed = await do(ask, world.admin, "updateSavedQuery", "savedQuery { id }", savedQueryId=query.id, sql="SELECT 2")
    kept = (await ask(world.viewer, EXECUTED, id=run_id))["node"]["executedQueries"]
    await report(ask, world, run_id, "FAILED")
    await claim(ask, world)
    again = (await ask(world.viewer, EXECUTED, id=run_id))["node"]["executedQueries"]

    assert changed["userErrors"] == before == []
    same, now = {"name": query.name, "savedQuery": {"sql": "SELECT 2"}}, query.revision
    assert kept == [same | {"revision": now, "sql": query.sql}]
    assert again == [same | {"revision": now + 1, "sql": "SELECT 2"}]


async def test_claims_of_runs_of_one_query_store_its_text_once(ask: Ask, world: World, database: Database) -> None:
    source = {"savedQueries": {"queryIds": [world.queries[0].id] * 2}}
    jobs = [
        await ask.create_job(world.contributor, world, jobKey=key, config=config(world, source=source))
        for key in ("a", "b")
    ]
    runs = [await triggered(ask, world, each) for each in jobs]
    await asyncio.gather(*(claim(ask, world, limit=1) for _ in range(2)))

    for run_id in runs:
        found = (await ask(world.viewer, EXECUTED, id=run_id))["node"]["executedQueries"]
        assert [each["sql"] for each in found] == [world.queries[0].sql] * 2
    async with AsyncSession(database.reads) as session:
        assert await session.scalar(select(func.count()).select_from(SavedQueryRevision)) == 1


async def test_revisions_that_no_run_executed_are_deleted(ask: Ask, world: World, database: Database) -> None:
    source = {"savedQueries": {"queryIds": [world.queries[0].id]}}
    jobs = [
        await ask.create_job(world.contributor, world, jobKey=key, config=config(world, source=source))
        for key in ("a", "b")
    ]
    for job_id in jobs:
        await triggered(ask, world, job_id)
        await claim(ask, world)

    for job_id, expected in zip(jobs, (0, 1), strict=True):
        await do(ask, world.admin, "deleteJob", "deletedJobId", jobId=job_id, force=True)
        assert (await prunable(database, Retention()))["saved_query_texts"] == expected
        assert (await prune(database, Retention()))["saved_query_texts"] == expected


async def test_runs_of_a_revision_are_found_by_their_index(database: Database) -> None:
    """Each revision that is deleted would scan all of them otherwise."""
    statement = "SELECT run_id FROM executed_query WHERE saved_query_id = 'SQ1' AND revision = 1"
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    async with database.reads.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = [str(row) for row in await connection.execute(text(f"{explain} {statement}"))]

    assert any("ix_executed_query_revision" in line for line in plan), plan
