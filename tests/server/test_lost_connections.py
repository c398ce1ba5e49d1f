"""Connections to PostgreSQL that end at any time give database errors, never internal ones."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from mainsheet.models.database import Database, Patience
from testbed.ask import Ask
from testbed.world import World
from tests.chaos.answers import result_of
from tests.chaos.ledger import Result
from tests.server.failing import Client, client, end_connections

TIMES = 100
POOL_SIZE = 4
PATIENT = Patience(connection=30, statement=30, lock=30)

READ = "query ($id: ID!) { job(id: $id) { name latestRun { id } teams { nodes { name } } } }"
RENAME = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Renamed"}) { job { name } userErrors { code } } }'
REFUSED = "mutation ($id: ID!) { activateVersion(input: {jobId: $id, number: 9}) { userErrors { code } } }"
DRY_RUN = """
mutation ($id: ID!) {
  createVersion(input: {jobId: $id, changes: {maxRetries: 2}, dryRun: true}) {
    version { number job { name latestRun { id } } }
    userErrors { code }
  }
}
"""


@dataclass
class Crowd:
    """Repeats a request with a token that is looked up each time, and records the responses."""

    ask: Client
    job_id: str
    results: defaultdict[str, set[Result | int]] = field(default_factory=lambda: defaultdict(set))
    surprises: list[object] = field(default_factory=list)
    changed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    is_over: bool = False

    async def send(self, query: str) -> None:
        while not self.is_over:
            answer = await self.ask(query, id=self.job_id)
            result, data = result_of(answer.status, {"Retry-After": answer.retry_after or "0"}, answer.body)
            self.results[query].add(result)
            if result in {Result.SURPRISED, Result.UNHINTED}:
                self.surprises.append(data)
            if query is RENAME and result is Result.DONE:
                self.changed.release()

    async def look(self) -> None:
        while not self.is_over:
            async with self.ask.http.get("/readyz") as response:
                self.results["ready"].add(response.status)


pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def crowd(database: Database, world: World, database_url: str) -> AsyncIterator[Crowd]:
    served = Database.open(database_url, pool_size=POOL_SIZE, patience=PATIENT)
    async with client(served, world.contributor, token_cache_seconds=0) as ask:
        yield Crowd(ask, await Ask(database).create_job(world.contributor, world))
    await served.close()


async def test_lost_connections_are_reported_to_clients(
    crowd: Crowd, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as log:
        async with asyncio.TaskGroup() as tasks:
            for query in (READ, RENAME, RENAME, REFUSED, DRY_RUN):
                tasks.create_task(crowd.send(query))
            tasks.create_task(crowd.look())
            for turns in range(TIMES):
                await crowd.changed.acquire()
                for _ in range(turns):
                    await asyncio.sleep(0)
                await end_connections(database)
            crowd.is_over = True

    assert crowd.surprises == []
    assert all({Result.DONE, Result.UNAVAILABLE} <= crowd.results[each] for each in (READ, RENAME, REFUSED, DRY_RUN))
    assert crowd.results["ready"] == {200, 503}
    assert {each["event"] for each in log if each["log_level"] == "error"} == {"database unavailable"}
    assert [each for each in log if "exc_info" in each] == []
    assert caplog.records == []  # of the libraries
