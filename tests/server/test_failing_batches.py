"""Responses to batches while the database fails: the client learns that items before the failure were changed."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from mainsheet.models.database import Database, Patience
from mainsheet.models.errors import UserError
from mainsheet.models.instrumentation import Instrumentation
from testbed.ask import Ask
from testbed.world import World
from tests.server.failing import client, holding

UPDATE = "mutation ($input: UpdateJobsInput!) { updateJobs(input: $input) { results { userErrors { code } } } }"
SCHEDULE = """
mutation ($input: CreateScheduledRunsInput!) { createScheduledRuns(input: $input) { results { userErrors { code } } } }
"""
BATCHES = {
    "updateJobs": (UPDATE, "jobs", {"name": "Renamed"}),
    "createScheduledRuns": (SCHEDULE, "runs", {"scheduledFor": "2030-01-01T00:00:00Z"}),
}
LOCK_SECONDS = 0.5  # SQLite has one lock: the server's own short writes must not use this up
LOCK_JOB = "SELECT id FROM job WHERE id = :id FOR UPDATE"


class LockAfterFirst(Instrumentation):
    """Locks the SQLite database as soon as the first command is done."""

    def __init__(self, other: sqlite3.Connection) -> None:
        self._other = other

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:
        if not self._other.in_transaction:
            self._other.execute("BEGIN IMMEDIATE")


@asynccontextmanager
async def locked(database: Database, other: Database, job_id: str) -> AsyncIterator[None]:
    """Let changes of this job wait. SQLite locks everything, so it is locked when the job's turn comes."""
    if not database.is_sqlite:
        async with holding(other, LOCK_JOB, id=job_id):
            yield
        return
    path = str(database.writes.url.database)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        database.instrumentation.add(LockAfterFirst(holder))
        yield


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("is_first", [False, True])
async def test_a_failure_after_a_changed_item_is_not_called_unchanged(
    database: Database, database_url: str, world: World, name: str, is_first: bool
) -> None:
    query, items, values = BATCHES[name]
    ids = [await Ask(database).create_job(world.contributor, world, jobKey=each) for each in ("a", "b")]
    given: list[dict[str, Any]] = [{"jobId": each, **values} for each in ids]
    failing = Database.open(database_url, patience=Patience(lock=LOCK_SECONDS))
    async with client(failing, world.contributor) as ask, locked(failing, database, ids[1]):
        if is_first and database.is_sqlite:
            await ask(query, input={items: [{"jobId": "JB0", **values}]})
        answer = await ask(query, input={items: given[::-1] if is_first else given})
    await failing.close()

    expected = (503, "1", "nothing was changed") if is_first else (500, None, "it isn't known whether the change")
    assert (answer.status, answer.retry_after, expected[2] in answer.message) == (*expected[:2], True), answer
