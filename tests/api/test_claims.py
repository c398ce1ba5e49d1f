"""A job with very many ready runs neither delays the runs of other jobs nor makes claims read more rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.resolvers.commands.claimable import CONSIDERED_LANES, candidates, parameters
from testbed.ask import Ask
from testbed.world import World, caller
from tests.api.test_run_commands import claim

MANY = 4 * CONSIDERED_LANES
READ = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'job_run'")
START = datetime.now(UTC) - timedelta(days=1)


async def _add_ready(database: Database, world: World, job_id: str, numbers: Sequence[int]) -> None:
    """Add ready runs, the one with a higher number later."""
    same: dict[str, Any] = {"organization_id": world.organization.id, "job_id": job_id, "cluster_id": world.cluster.id}
    same |= {"version_number": 1, "status": JobRunStatus.READY, "trigger": JobRunTrigger.MANUAL, "parameters": []}
    same |= {"attempt": 0, "retries": 0, "lost_claims": 0}
    async with database.writes.begin() as connection:
        for start in range(0, len(numbers), 1000):
            times = [START + timedelta(milliseconds=each) for each in numbers[start : start + 1000]]
            rows = [same | {"id": new_id("JR", at), "created_at": at, "available_at": at} for at in times]
            await connection.execute(insert(JobRun), rows)


async def _rows_read(database: Database, world: World) -> int:
    """Return how many rows (on SQLite: steps of its virtual machine) the search for runs to claim reads."""
    found, values = candidates(caller(world.contributor)), parameters([world.cluster.id], 10)
    async with AsyncSession(database.writes) as session:
        before = 0 if database.is_sqlite else await session.scalar(READ)
        steps = await _counted(session) if database.is_sqlite else []
        assert len((await session.scalars(found, values)).all()) == 40
        return len(steps) if database.is_sqlite else int(await session.scalar(READ)) - before


async def _counted(session: AsyncSession) -> list[None]:
    """Return a list that grows with each step of SQLite's virtual machine. The connection is closed with the test."""
    steps: list[None] = []
    driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    await driver.set_progress_handler(lambda: steps.append(None), 1)
    return steps


async def test_many_ready_runs_of_one_job_delay_no_other_job(ask: Ask, world: World, database: Database) -> None:
    many, few = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("many", "few")]
    await _add_ready(database, world, many, range(MANY))
    await _add_ready(database, world, few, range(MANY, MANY + 2))  # younger than all of the others

    keys = [each["run"]["job"]["jobKey"] for each in await claim(ask, world, limit=10)]

    assert keys == ["many", "few"] * 2 + ["many"] * 6


async def test_a_claim_reads_no_more_rows_with_many_ready_runs(ask: Ask, world: World, database: Database) -> None:
    jobs = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(5)]
    for job_id in jobs:
        await _add_ready(database, world, job_id, range(10))
    before = await _rows_read(database, world)
    await _add_ready(database, world, jobs[0], range(10, MANY))

    assert await _rows_read(database, world) < 2 * before
