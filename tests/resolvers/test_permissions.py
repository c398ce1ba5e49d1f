"""The ways to check grants, which must all give the same rows."""

import pytest
from sqlalchemy import select

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.resolvers.permissions import Access, is_granted
from testbed.ask import Ask
from testbed.world import World, caller


@pytest.mark.parametrize("row", [Job, JobTeam])
async def test_all_ways_to_check_grants_give_the_same_rows(
    database: Database, ask: Ask, world: World, row: type[Job | JobTeam]
) -> None:
    own = await ask.create_job(world.admin, world, teamIds=[world.data_eng.id])
    await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    job_id = Job.id if row is Job else JobTeam.job_id

    async with database.reads.connect() as connection:
        for access in Access:
            is_seen = is_granted(caller(world.viewer), row, job_id, access)
            assert (await connection.scalars(select(job_id).where(is_seen))).all() == [own], access
