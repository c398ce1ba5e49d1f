"""Statements that were prepared before a migration changed the type of a column that they return."""

from collections.abc import AsyncIterator

import pytest

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.databases import execute
from testbed.world import World
from tests.server.failing import Client, client

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

READ = "query ($id: ID!) { me { jobs { nodes { jobKey } } } job(id: $id) { jobKey versions { totalCount } } }"
KEY = "query ($id: ID!) { job(id: $id) { jobKey } }"
RENAME = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Renamed"}) { job { name } userErrors { code } } }'
WIDEN = 'ALTER TABLE job ALTER COLUMN job_key TYPE VARCHAR({}) COLLATE "C"'


@pytest.fixture
async def ask(database_url: str, world: World) -> AsyncIterator[Client]:
    served = Database.open(database_url, pool_size=2)  # one connection for reads, and one for writes
    async with client(served, world.contributor) as asking:
        yield asking
    await served.close()


async def test_they_are_prepared_again(ask: Client, database: Database, world: World) -> None:
    job_id = await Ask(database).create_job(world.contributor, world)
    for length, query in enumerate((READ, KEY, RENAME) * 2, start=101):
        before = await ask(query, id=job_id)
        await execute(database.url, WIDEN.format(length))

        assert await ask(query, id=job_id) == before
        assert before.status == 200
