"""Writers of the feed that no crowd has: applied documents, and many events in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import aiohttp
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.event import Event, EventAction
from mainsheet.models.failures import failure_of
from testbed.world import Foreign
from tests.chaos.client import PATIENCE_SECONDS
from tests.chaos.server import Server

MOST_SUBJECTS = 5  # of one transaction
MOST_COMMITS = 20  # for which a transaction without events holds up the readers
ROLLED_BACK = 0.1  # of the transactions
APPLIED_JOBS = 20
STORED = [each.name for each in Event.__table__.c if each.server_default is None]
APPLY = """mutation ($input: ApplyJobsInput!) { applyJobs(input: $input) {
  results { outcome userErrors { code } } userErrors { code } } }"""


@dataclass
class Work:
    """What was written. Writers go on until it `is_over`, and wait for `pause` after each transaction or failure.

    `keep_pace` waits until the readers have most of what was written directly, so that they read under the faults, too.
    """

    longest: int  # the most events of a transaction
    pause: Callable[[], Awaitable[None]]
    keep_pace: Callable[[], Awaitable[None]]
    done: Counter[str] = field(default_factory=Counter)
    of_subjects: Counter[str] = field(default_factory=Counter)  # the events written directly
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)
    is_over: bool = False

    async def note(self, what: str, count: int = 1) -> None:
        self.done[what] += count
        await self._notify()

    async def end(self) -> None:
        self.is_over = True
        await self._notify()

    async def _notify(self) -> None:
        async with self.progress:
            self.progress.notify_all()


async def write_directly(
    database: Database, clusters: Sequence[Cluster], actor_id: str, work: Work, chance: Random
) -> None:
    """Write events as commands do: lock their subjects, record, commit. Some transactions are rolled back."""
    while not work.is_over:
        is_kept = chance.random() > ROLLED_BACK
        try:
            async with AsyncSession(database.writes) as session:
                subjects = await _record(session, clusters, actor_id, chance.randint(1, work.longest), chance)
                await (session.commit if is_kept else session.rollback)()
        except Exception as error:
            if failure_of(error) is None:
                raise
            await work.note("failed transactions")
        else:
            await work.note("transactions" if is_kept else "transactions rolled back")
            await work.note("events" if is_kept else "events rolled back", subjects.total())
            work.of_subjects.update(subjects if is_kept else {})
        await work.pause()
        if not work.is_over:
            await work.keep_pace()


async def _record(
    session: AsyncSession, clusters: Sequence[Cluster], actor_id: str, size: int, chance: Random
) -> Counter[str]:
    """Record at least so many events in some statements, and return how many are about each subject.

    They aren't flushed by the session, which would take most of the process's time.
    """
    recorded = Counter[str]()
    chosen = sorted(each.id for each in chance.sample(clusters, min(size, MOST_SUBJECTS)))
    locked = select(Cluster).where(Cluster.id.in_(chosen)).order_by(Cluster.id).with_for_update()
    subjects = (await session.scalars(locked)).all()
    statements = chance.randint(1, 3)
    each = -(-size // statements)
    for _ in range(statements):
        edit = Edit(actor_id, datetime.now(UTC))
        for subject in chance.choices(subjects, k=each):
            edit.record(EventAction.CLUSTER_UPDATED, subject, subject.name)
        await session.execute(insert(Event), [_values(event) for event in edit.events])
        recorded.update(event.subject_id for event in edit.events)
    return recorded


def _values(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in STORED}


async def write_end(database: Database, cluster: Cluster, actor_id: str, label: str) -> None:
    """Write an event by which readers know that no other one follows."""
    edit = Edit(actor_id, datetime.now(UTC))
    edit.record(EventAction.CLUSTER_UPDATED, cluster, label)
    async with AsyncSession(database.writes) as session, session.begin():
        session.add_all(edit.events)


async def hold(database: Database, work: Work, chance: Random) -> None:
    """Hold up the readers, by transactions that end after some commits of others. Some are rolled back."""
    while not work.is_over:
        try:
            async with database.writes.connect() as connection:
                await connection.execute(text("SELECT pg_current_xact_id()"))
                for _ in range(chance.randint(0, MOST_COMMITS)):
                    async with work.progress:
                        if not work.is_over:
                            await work.progress.wait()
                await (connection.commit if chance.random() < 1 / 2 else connection.rollback)()
        except Exception as error:
            if failure_of(error) is None:
                raise
            await work.pause()


async def apply_jobs(
    servers: Sequence[Server], http: aiohttp.ClientSession, token: str, foreign: Foreign, work: Work, chance: Random
) -> None:
    """Apply documents, some at once: each request is one transaction. It doesn't matter whether one succeeds."""
    while not work.is_over:
        keys = chance.sample(range(APPLIED_JOBS), chance.randint(1, 5))
        documents = [_document(foreign, f"applied-{each}", f"name {chance.random()}") for each in keys]
        try:
            answer = await _posted(chance.choice(servers).url, http, token, {"input": {"jobs": documents}})
        except (aiohttp.ClientError, OSError, ValueError):
            answer = {}
        applied = (answer.get("data") or {}).get("applyJobs")
        if applied is not None:
            assert [each["userErrors"] for each in applied["results"]] == [[]] * len(keys), answer
            await work.note("applied jobs", len(keys))
        await work.pause()


async def _posted(url: str, http: aiohttp.ClientSession, token: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    headers, body = {"Authorization": f"Bearer {token}"}, {"query": APPLY, "variables": variables}
    async with asyncio.timeout(PATIENCE_SECONDS), http.post(url, json=body, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
        return answer


def _document(foreign: Foreign, key: str, name: str) -> dict[str, object]:
    config = {"cluster": foreign.cluster.name, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    return {"jobKey": key, "name": name, "teams": [foreign.team.name], "config": config}
