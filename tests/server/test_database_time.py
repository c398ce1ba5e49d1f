"""The time of statements is measured, however they end, and charged to the caller."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mainsheet.models.database import Database, Patience
from mainsheet.models.instrumentation import Instrumentation, OperationRecord
from testbed.ask import Ask
from testbed.statements import statements_of
from testbed.world import World, make_world
from tests.server.failing import client, holding, waiting

JOBS = "{ jobs { nodes { name } } }"
RENAME = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Renamed"}) { userErrors { code } } }'
LOCK_JOBS = "LOCK TABLE job IN ACCESS EXCLUSIVE MODE"
TINY = 1e-6  # seconds
SHORT = Patience(connection=10, statement=0.2, lock=10)


class End(Instrumentation):
    """The end of an operation, which has been charged then."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def operated(self, record: OperationRecord) -> None:
        self.ended.set()


async def test_a_callers_database_time_per_minute_is_limited(database: Database, world: World) -> None:
    async with client(database, world.contributor, database_seconds_per_minute=TINY) as ask:
        first, second = await ask(JOBS), await ask(JOBS)

    assert first.status == 200
    assert (second.status, second.codes) == (429, ["RATE_LIMITED"])
    assert "database time" in second.message


async def test_another_caller_is_not_limited(database: Database, world: World) -> None:
    async with client(database, world.contributor, database_seconds_per_minute=TINY) as ask:
        await ask(JOBS)
        async with client(database, world.viewer, database_seconds_per_minute=TINY) as other:
            assert (await other(JOBS)).status == 200


async def test_mutations_are_charged(database: Database, world: World) -> None:
    job_id = await Ask(database).create_job(world.contributor, world)
    heard = statements_of(database)

    async with client(database, world.contributor, database_seconds_per_minute=TINY) as ask:
        first, second = await ask(RENAME, id=job_id), await ask(JOBS)

    assert first.status == 200
    assert any(each.startswith("UPDATE job ") for each in heard)
    assert second.codes == ["RATE_LIMITED"]


async def test_a_failed_statement_is_timed(database: Database) -> None:
    heard = statements_of(database)

    with pytest.raises(DBAPIError):
        async with database.writes.connect() as connection:
            await connection.execute(text("SELECT nothing"))

    assert heard[-1] == "SELECT nothing"


async def test_a_cancelled_change_is_timed(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    heard = statements_of(database)

    async with holding(database, LOCK_JOBS):
        task = asyncio.create_task(_count_jobs(database))
        await waiting(database)
        task.cancel()
        await asyncio.wait([task])

    assert "SELECT count(*) FROM job" in heard
    await database.close()


async def _count_jobs(database: Database) -> None:
    async with database.writes.connect() as connection:
        await connection.execute(text("SELECT count(*) FROM job"))


@pytest.mark.parametrize("is_patient", [False, True])
async def test_cancelled_queries_are_charged(postgres_url: str, is_patient: bool) -> None:
    other = Database.open(postgres_url)
    world = await make_world(other)
    database = Database.open(postgres_url, patience=Patience() if is_patient else SHORT)
    database.instrumentation.add(operation := End())

    async with client(database, world.contributor, database_seconds_per_minute=TINY, token_cache_seconds=60) as ask:
        async with holding(other, LOCK_JOBS):
            asking = asyncio.create_task(ask(JOBS))
            await waiting(other)
            if is_patient:
                asking.cancel()
                async with asyncio.timeout(60):
                    await operation.ended.wait()
            else:
                assert (await asking).status == 503
        refused = await ask(JOBS)

    assert refused.codes == ["RATE_LIMITED"]
    await database.close()
    await other.close()
