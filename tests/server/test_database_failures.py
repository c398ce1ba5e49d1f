"""Responses while the database fails, and recovery afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import make_url

from mainsheet.models.database import Database, Patience
from mainsheet.server.paths import GRAPHQL_PATH
from testbed.ask import Ask
from testbed.databases import execute
from testbed.world import World
from tests.server.failing import Client, client, end_connections, holding, waiting

READERS, WRITERS = 4, 2
SHORT = Patience(connection=0.2, statement=30, lock=30)

NAME = "query ($id: ID!) { job(id: $id) { name } }"
LAST_RUN = "query ($id: ID!) { job(id: $id) { name latestRun { id } } }"
RENAME = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Renamed"}) { job { name } userErrors { code } } }'
RENAME_AND_SHOW_RUN = RENAME.replace("job { name }", "job { name latestRun { id } }")
RENAME_BOTH = """
mutation ($id: ID!, $other: ID!) {
  first: updateJob(input: {jobId: $id, name: "Renamed"}) { userErrors { code } }
  second: updateJob(input: {jobId: $other, name: "Renamed"}) { userErrors { code } }
}
"""
LOCK_RUNS = "LOCK TABLE job_run IN ACCESS EXCLUSIVE MODE"
LOCK_JOB = "SELECT id FROM job WHERE id = :id FOR UPDATE"

# At its commit, a renamed job waits until the advisory lock 1 is released.
WAIT = """
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$
"""
AT_COMMIT = """
CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON job DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()
"""


pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def job_id(database: Database, world: World) -> str:
    return await Ask(database).create_job(world.contributor, world)


@pytest.fixture
async def ask(request: pytest.FixtureRequest, database_url: str, world: World) -> AsyncIterator[Client]:
    """A client of a server with short timeouts (set by `parametrize`), as the contributor."""
    served = Database.open(database_url, pool_size=READERS + WRITERS, patience=getattr(request, "param", SHORT))
    async with client(served, world.contributor, token_cache_seconds=60) as asking:
        yield asking
    await served.close()


async def name_of(ask: Client, job_id: str) -> str:
    answer = await ask(NAME, id=job_id)
    assert answer.status == 200
    return str(answer.body["data"]["job"]["name"])


@asynccontextmanager
async def all_readers_taken(ask: Client) -> AsyncIterator[None]:
    pool = ask.database.read_pool
    held = [await pool.take() for _ in range(READERS)]
    yield
    for connection in held:
        await pool.give_back(connection)


async def test_a_query_gets_503_while_no_connection_is_free(ask: Client, job_id: str) -> None:
    async with all_readers_taken(ask):
        answer = await ask(NAME, id=job_id)

    assert (answer.status, answer.retry_after, answer.codes) == (503, "1", ["TIMEOUT"])
    assert "data" not in answer.body
    assert await name_of(ask, job_id) == "Daily sales"


async def test_a_mutation_gets_503_without_a_free_connection(ask: Client, database: Database, job_id: str) -> None:
    async with holding(database, LOCK_JOB, id=job_id):
        asking = [asyncio.create_task(ask(RENAME, id=job_id)) for _ in range(WRITERS)]
        await waiting(database, WRITERS)
        answer = await ask(RENAME, id=job_id)
        names = await asyncio.gather(*(name_of(ask, job_id) for _ in range(READERS)))

    assert (answer.status, answer.retry_after, answer.codes) == (503, "1", ["TIMEOUT"])
    assert names == ["Daily sales"] * READERS
    assert [(await each).status for each in asking] == [200] * WRITERS


async def test_a_failed_token_lookup_is_503_not_401(ask: Client, job_id: str) -> None:
    async with all_readers_taken(ask):
        answer = await ask(NAME, id=job_id)

    assert (answer.status, answer.retry_after, answer.codes) == (503, "1", ["TIMEOUT"])


@pytest.mark.parametrize("ask", [Patience(statement=1)], indirect=True)
async def test_a_statement_timeout_is_503(ask: Client, database: Database, job_id: str) -> None:
    async with holding(database, LOCK_RUNS):
        answer = await ask(LAST_RUN, id=job_id)

    assert (answer.status, answer.retry_after, answer.codes) == (503, "1", ["TIMEOUT"])
    assert "took too long" in answer.message
    assert await name_of(ask, job_id) == "Daily sales"


@pytest.mark.parametrize("ask", [Patience(lock=0.2)], indirect=True)
async def test_a_lock_timeout_is_503(ask: Client, database: Database, job_id: str) -> None:
    async with holding(database, LOCK_JOB, id=job_id):
        answer = await ask(RENAME, id=job_id)

    assert (answer.status, answer.retry_after, answer.codes) == (503, "1", ["TIMEOUT"])
    assert answer.message == "Another change to the same data is taking too long; nothing was changed."
    assert await name_of(ask, job_id) == "Daily sales"


@pytest.mark.parametrize("ask", [Patience(lock=0.2)], indirect=True)
async def test_a_committed_change_that_cant_be_read_is_a_field_error(
    ask: Client, database: Database, job_id: str
) -> None:
    async with holding(database, LOCK_RUNS):
        answer = await ask(RENAME_AND_SHOW_RUN, id=job_id)

    assert (answer.status, answer.codes) == (200, ["TIMEOUT"])
    assert answer.body["data"]["updateJob"]["userErrors"] == []
    assert "is kept" in answer.message
    assert await name_of(ask, job_id) == "Renamed"


@pytest.mark.parametrize("ask", [Patience(lock=0.2)], indirect=True)
async def test_one_change_is_kept_if_the_other_fails(
    ask: Client, database: Database, world: World, job_id: str
) -> None:
    locked = await Ask(database).create_job(world.contributor, world, jobKey="locked")
    async with holding(database, LOCK_JOB, id=locked):
        answer = await ask(RENAME_BOTH, id=job_id, other=locked)

    assert (answer.status, answer.retry_after) == (500, None)
    assert "isn't known" in answer.message
    assert await name_of(ask, job_id) == "Renamed"


@pytest.mark.parametrize(("query", "lock"), [(LAST_RUN, LOCK_RUNS), (RENAME, LOCK_JOB)])
async def test_a_connection_lost_during_a_request_is_503(
    ask: Client, database: Database, job_id: str, query: str, lock: str
) -> None:
    values: dict[str, Any] = {"id": job_id} if ":id" in lock else {}
    async with holding(database, lock, **values):
        asking = asyncio.create_task(ask(query, id=job_id))
        await end_connections(database, who_wait=True)
        answer = await asking

    assert (answer.status, answer.retry_after, answer.codes) == (503, "2", ["INTERNAL_SERVER_ERROR"])
    assert answer.message == "The database can't be reached; nothing was changed."
    assert await name_of(ask, job_id) == "Daily sales"


async def test_idle_connections_that_are_lost_are_replaced(ask: Client, database: Database, job_id: str) -> None:
    connections = [await ask.database.read_pool.take() for _ in range(READERS)]
    drivers: list[Any] = [each.driver_connection for each in connections]
    for each in connections:
        await ask.database.read_pool.give_back(each)
    await end_connections(database)
    while not all(driver.is_closed() for driver in drivers):  # noqa: ASYNC110 the driver has no event for it
        await asyncio.sleep(0.01)

    assert (await ask(RENAME, id=job_id)).status == 200
    assert await name_of(ask, job_id) == "Renamed"


async def test_a_connection_lost_at_commit_leaves_the_outcome_unknown(
    ask: Client, database: Database, job_id: str
) -> None:
    async with database.writes.begin() as connection:
        await connection.exec_driver_sql(WAIT)
        await connection.exec_driver_sql(AT_COMMIT)
    async with holding(database, "SELECT pg_advisory_xact_lock(1)"):
        asking = asyncio.create_task(ask(RENAME, id=job_id))
        await end_connections(database, who_wait=True)
        answer = await asking

    assert (answer.status, answer.retry_after, answer.codes) == (500, None, ["INTERNAL_SERVER_ERROR"])
    assert "it isn't known whether the change was made" in answer.message
    assert "idempotencyKey" in answer.message
    assert await name_of(ask, job_id) == "Daily sales"  # here it wasn't


async def test_the_outcome_is_unknown_in_a_stream_too(ask: Client, database: Database, job_id: str) -> None:
    async with database.writes.begin() as connection:
        await connection.exec_driver_sql(WAIT)
        await connection.exec_driver_sql(AT_COMMIT)
    async with holding(database, "SELECT pg_advisory_xact_lock(1)"):
        asking = asyncio.create_task(streamed(ask, RENAME, id=job_id))
        await end_connections(database, who_wait=True)
        answer = await asking

    assert "it isn't known whether the change was made" in answer
    assert "nothing was changed" not in answer


async def streamed(ask: Client, query: str, **variables: Any) -> str:
    body, headers = {"query": query, "variables": variables}, {"Accept": "text/event-stream"}
    async with ask.http.post(GRAPHQL_PATH, json=body, headers=headers) as response:
        return await response.text()


async def test_an_unreachable_database_is_503_until_it_is_back(
    ask: Client, database: Database, job_id: str, postgres_server: str, database_url: str
) -> None:
    assert await name_of(ask, job_id) == "Daily sales"
    name = make_url(database_url).database
    await end_connections(database)
    await database.close()
    await execute(postgres_server, f"ALTER DATABASE {name} RENAME TO {name}_away")
    try:
        answers = [await ask(query, id=job_id) for query in (NAME, RENAME)]
    finally:
        await execute(postgres_server, f"ALTER DATABASE {name}_away RENAME TO {name}")

    for answer in answers:
        assert (answer.status, answer.retry_after, answer.codes) == (503, "2", ["INTERNAL_SERVER_ERROR"])
    assert await name_of(ask, job_id) == "Daily sales"
