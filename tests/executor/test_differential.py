"""Random operations on the real schema: the compiled executor returns the same as graphql-core.

Of several errors below one place that became null graphql-core reports those that came first in time. So errors are
compared by the place that they made null, and by what they say where there is one for a place.
"""

import gc
import json
import os
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import Any
from zlib import crc32

import pytest
from graphql import ExecutionResult, GraphQLError, parse, validate
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.executor import Executor, Outcome, Prepared, Request, WorkerThread, core_schema, refer
from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from mainsheet.models.member import Member
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.snapshot import OPTIONS
from mainsheet.schema.api import api
from mainsheet.schema.context import Batch, Context
from mainsheet.server.app import compiled_executor
from mainsheet.server.operations.documents import operation_of
from mainsheet.server.settings import Settings
from testbed.world import caller
from tests.executor.operations import Name, Operation, Writer

# graphql-core leaves coroutines of fields behind that it cancels.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
COUNT = int(os.environ.get("TEST_DIFFERENTIAL", "30"))  # `make interop` runs more
SEED = int(os.environ.get("TEST_DIFFERENTIAL_SEED", "20261124"))
MEMBERS = ("admin@harbor.example", "contributor@harbor.example", "viewer@harbor.example")
SCHEMA = core_schema(api)


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()  # here, where the warnings are expected


async def callers(database: Database) -> Sequence[Caller]:
    async with AsyncSession(database.reads) as session:
        found = await session.scalars(select(Member).where(Member.email.in_(MEMBERS)))
        return [caller(each) for each in found]


async def values(database: Database) -> Mapping[str, Callable[[Random], Any]]:
    async with AsyncSession(database.reads) as session:
        ids = {
            table.__name__: [*await session.scalars(select(table.id).order_by(table.id).limit(40)), "JB0"]
            for table in (Cluster, Job, JobVersion, Team, Member, ServiceAccount, SavedQuery)
        }
        keys = [*await session.scalars(select(Job.job_key).order_by(Job.id).limit(20)), "no-such-job"]
    every = [each for own in ids.values() for each in own]
    return {
        "Query.job.id": lambda random: random.choice(ids["Job"]),
        "Query.team.id": lambda random: random.choice(ids["Team"]),
        "Query.cluster.id": lambda random: random.choice(ids["Cluster"]),
        "Query.member.id": lambda random: random.choice(ids["Member"]),
        "Query.serviceAccount.id": lambda random: random.choice(ids["ServiceAccount"]),
        "Query.savedQuery.id": lambda random: random.choice(ids["SavedQuery"]),
        "Query.webhook.id": lambda _: "WH0",
        "Query.node.id": lambda random: random.choice(every),
        "ids": lambda random: random.sample(every, 3),
        "jobKey": lambda random: random.choice(keys),
        "externalId": lambda _: "00u1",
        "number": lambda random: random.randint(0, 4),
        "JobVersion.changes.since": lambda random: random.choice([1, 1, 2]),
        "EventFilter.since": lambda random: random.choice(["2026-01-01T00:00:00Z", "2100-01-01T00:00:00+01:00"]),
        "EventFilter.until": lambda _: "2100-01-01T00:00:00Z",
        "JobRunFilter.statuses": lambda _: [Name("FAILED"), Name("RUNNING")],
        "count": lambda random: random.randint(0, 3),
        "JobSchedule.nextFireTimes.after": lambda _: "2026-01-01T00:00:00Z",
        "search": lambda random: random.choice(["sales", "%", "é"]),
        "hasDraft": lambda random: random.random() < 0.5,
        "hasSchedule": lambda random: random.random() < 0.5,
        "teamIds": lambda random: random.sample(ids["Team"], 2),
        "clusterIds": lambda random: random.sample(ids["Cluster"], 2),
        "createdByIds": lambda random: random.sample(ids["Member"], 2),
        "updatedByIds": lambda random: random.sample(ids["Member"], 2),
        "tagsAllOf": lambda random: random.sample(["daily", "finance"], 1),
        "tagsAnyOf": lambda random: random.sample(["daily", "finance"], 2),
        "tags": lambda _: ["daily"],
        "statuses": lambda _: [Name("ACTIVE")],
        "Webhook.deliveries.statuses": lambda _: [Name("FAILED")],
        "Job.runs.statuses": lambda _: [Name("FAILED")],
        "sourceKinds": lambda random: [Name(random.choice(["SQL_SNAPSHOT", "PYTHON_WHEEL"]))],
        "latestRunStatuses": lambda random: [Name(random.choice(["SUCCEEDED", "FAILED"]))],
        "keys": lambda random: random.sample(keys, 2),
    }


class Faulty(Context):
    """Makes some batches fail and some results null or exceptions, depending on names and keys."""

    salt = 0
    _made: dict[Batch, Batch]

    def load(self, batch: Batch, key: Any, *arguments: Any, **options: Any) -> Any:
        return super().load(self._faulty(batch), key, *arguments, **options)

    def load_all(self, batch: Batch, keys: Sequence[Any], *arguments: Any, **options: Any) -> Any:
        return super().load_all(self._faulty(batch), keys, *arguments, **options)

    def _faulty(self, batch: Batch) -> Batch:
        made: dict[Batch, Batch] = self.__dict__.setdefault("_made", {})
        if batch not in made:
            made[batch] = self._spoiled(batch)
        return made[batch]

    def _spoiled(self, batch: Batch) -> Batch:
        name = f"{batch.__module__}.{batch.__qualname__}"

        async def spoiled(read: Any, keys: Sequence[Any], *arguments: Any) -> Mapping[Any, Any]:
            if crc32(f"{self.salt}{name}".encode()) % 15 == 0:
                raise RuntimeError(f"{name} fails")
            answers = dict(await batch(read, keys, *arguments))
            for key in list(answers):
                match crc32(f"{self.salt}{name}{getattr(key, 'key', key)}".encode()) % 12:
                    case 0:
                        answers[key] = None
                    case 1:
                        answers[key] = ValueError(f"{name} has no answer")
            return answers

        return spoiled


@contextmanager
def executors(outcomes: Counter[Outcome]) -> Iterator[Sequence[Executor]]:
    """Two executors: one with the server's options, one with the default ones."""

    def observe(outcome: Outcome) -> None:
        outcomes[outcome] += 1

    worker = WorkerThread()
    try:
        yield compiled_executor(Settings(), api, observe, worker), Executor(api, observe=observe)
    finally:
        worker.close()


async def answered(
    run: Callable[[Request], Awaitable[ExecutionResult]], operation: Operation, context: Context
) -> ExecutionResult:
    document = parse(operation.text)
    prepared = Prepared(SCHEMA, document, operation_of(document, None))
    try:
        variables = json.loads(json.dumps(operation.variables))
        return await run(Request(prepared, variables, context, context.caller))
    finally:
        await context.close()


def nulls(result: ExecutionResult) -> dict[tuple[Any, ...], list[str]]:
    """Return the positions that errors made null, with their errors."""
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for error in result.errors or ():
        at: Any = result.data
        here: list[str | int] = []
        for step in error.path or ():
            if at is None:
                break
            at = at[step]
            here.append(step)
        assert at is None, error
        found[tuple(here)].append(described(error))
    return found


def described(error: GraphQLError) -> str:
    return json.dumps([error.message, error.path, [(each.line, each.column) for each in error.locations or ()]])


def compare(compiled: ExecutionResult, reference: ExecutionResult, operation: Operation) -> None:
    assert json.dumps(compiled.data, default=datetime.isoformat) == json.dumps(reference.data), operation
    ours, theirs = nulls(compiled), nulls(reference)
    assert ours.keys() == theirs.keys(), operation
    for place, said in ours.items():
        if len(said) == len(theirs[place]) == 1 and json.loads(said[0])[1] == list(place):
            assert said == theirs[place], operation


@pytest.mark.parametrize("wrong", [False, True], ids=["valid", "with wrong arguments"])
async def test_random_operations_have_the_same_result(demo_database: Database, wrong: bool) -> None:
    known, who, outcomes = await values(demo_database), await callers(demo_database), Counter[Outcome]()
    with executors(outcomes) as both:
        for number in range(COUNT):
            random = Random(SEED + number)
            operation = Writer(SCHEMA, random, known, wrong).operation()
            assert validate(SCHEMA, parse(operation.text)) == [], operation.text
            asker = random.choice(who)
            reference = await answered(lambda request: refer(api, request), operation, Context(demo_database, asker))
            for executor in both:
                compiled = await answered(executor.execute, operation, Context(demo_database, asker))
                compare(compiled, reference, operation)
                # A few of ten thousand are too large to be compiled, and aren't recovered.
                recovered, interpreted = (outcomes.pop(each, 0) for each in (Outcome.RECOVERED, Outcome.INTERPRETED))
                assert interpreted or bool(reference.errors) == bool(recovered), (operation, reference.errors)

    assert set(outcomes) <= {Outcome.COMPILED}
    assert outcomes[Outcome.COMPILED] > COUNT / 2


async def test_failing_operations_have_the_same_result(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs without joins, because joined results bypass the batches that fail."""
    monkeypatch.setattr("mainsheet.resolvers.sql.snapshot.OPTIONS", {})
    assert OPTIONS
    known, who, outcomes = await values(demo_database), await callers(demo_database), Counter[Outcome]()
    with executors(outcomes) as both:
        for number in range(COUNT):
            random = Random(SEED + number)
            operation = Writer(SCHEMA, random, known).operation()
            asker = random.choice(who)
            contexts = [Faulty(demo_database, asker) for _ in range(3)]
            for context in contexts:
                context.salt = number
            reference = await answered(lambda request: refer(api, request), operation, contexts[2])
            for executor, context in zip(both, contexts[:2], strict=True):
                compare(await answered(executor.execute, operation, context), reference, operation)

    assert set(outcomes) <= {Outcome.COMPILED, Outcome.RECOVERED, Outcome.INTERPRETED}
    assert outcomes[Outcome.RECOVERED] > COUNT / 10
    assert outcomes[Outcome.COMPILED] > COUNT / 10


async def test_default_options_ask_no_row_for_what_its_batch_did_not_join(demo_database: Database) -> None:
    operation = Operation("{ jobs(first: 5) { nodes { name latestRun { createdAt } } } }", {})
    asker, outcomes = (await callers(demo_database))[0], list[Outcome]()

    compiled = await answered(Executor(api, observe=outcomes.append).execute, operation, Context(demo_database, asker))
    reference = await answered(lambda request: refer(api, request), operation, Context(demo_database, asker))

    assert compiled == reference
    assert compiled.data
    assert any(each["latestRun"] for each in compiled.data["jobs"]["nodes"])
    assert outcomes == [Outcome.COMPILED]
