"""Stored values that today's rules would refuse are listed by the row that has them."""

from sqlalchemy import update

from mainsheet.models.base import Base
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.unfit import unfit
from testbed.ask import Ask, config
from testbed.world import World


async def test_the_demo_has_no_unfit_values(demo_database: Database) -> None:
    assert [str(each) async for each in unfit(demo_database)] == []


async def test_each_unfit_value_is_listed_with_its_row(database: Database, world: World) -> None:
    ask = Ask(database)
    compute = {"executionMode": "CLUSTER", "executorCount": 4}
    job_id = await ask.create_job(world.contributor, world, config=config(world, compute=compute))
    query = world.queries[0].id
    changes: dict[type[Base], dict[str, object]] = {
        Job: {"name": " two ", "description": "\x07"},
        JobVersion: {"environment": [{"name": "A=B", "value": "x"}], "execution_mode": "STANDALONE"},
    }
    async with database.writes.begin() as connection:
        for table, values in changes.items():
            await connection.execute(update(table).values(values))
        await connection.execute(update(SavedQuery).where(SavedQuery.id == query).values(name="a\u202eb"))

    async with database.reads.connect() as connection:
        version_id = await connection.scalar(JobVersion.__table__.select().with_only_columns(JobVersion.id))
    assert [(each.table, each.id, ".".join(each.problem.path)) async for each in unfit(database)] == [
        ("saved_query", query, "name"),
        ("job", job_id, "name"),
        ("job", job_id, "description"),
        ("job_version", version_id, "compute.executor_count"),
        ("job_version", version_id, "environment.0.name"),
    ]


async def test_immutable_old_versions_are_not_listed(database: Database, world: World) -> None:
    ask = Ask(database)
    job_id = await ask.create_job(world.contributor, world)
    query = "mutation ($i: CreateVersionInput!) { createVersion(input: $i) { userErrors { code } } }"
    await ask(world.contributor, query, i={"jobId": job_id, "changes": {"maxRetries": 1}})
    async with database.writes.begin() as connection:
        bad = [{"name": "", "value": "x"}]
        await connection.execute(update(JobVersion).where(JobVersion.number == 1).values(environment=bad))

    assert [each async for each in unfit(database)] == []
