"""Subscriptions to all fields of the schema: a shared result is the one that each caller gets alone."""

import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random

import orjson
import pytest
from graphql import GraphQLNamedType, GraphQLObjectType, get_named_type, is_leaf_type, parse, validate
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.executor import Prepared, WorkerThread
from mainsheet.models.actor import Actor
from mainsheet.models.database import Database
from mainsheet.models.event import START, Event
from mainsheet.models.organization import Organization
from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.models.team import Team
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event_filter import NO_FILTER
from mainsheet.resolvers.job_filter import JobFilter
from mainsheet.resolvers.sql import statement
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.rights import ACTOR_ID, Extent
from mainsheet.resolvers.subscription import Source
from mainsheet.schema.api import api
from mainsheet.server.app import compiled_executor
from mainsheet.server.live.deliveries import Deliveries
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.group import Group, Subscriber, Subscription
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings
from testbed.world import caller, make_member, make_membership
from tests.executor.operations import Operation, Writer
from tests.executor.test_differential import values
from tests.live.crowd import SCHEMA, executed, prepared

SEED = 20261128
ROOTS = {"events": "Event", "jobs": "JobChange"}
EVENTS = 1  # for each operation
# Two actors have each of these sets of roles, in teams by their number.
ROLES: Sequence[Mapping[int, TeamRole]] = (
    {},
    {0: TeamRole.VIEWER},
    {0: TeamRole.ADMIN},
    {0: TeamRole.VIEWER, 1: TeamRole.CONTRIBUTOR, 2: TeamRole.VIEWER},
    {1: TeamRole.VIEWER, 2: TeamRole.ADMIN},
)


async def organization_of(database: Database) -> Organization:
    async with AsyncSession(database.reads) as session:
        return (await session.scalars(select(Organization).where(Organization.name == "harbor"))).one()


async def actors(database: Database, organization: Organization) -> Sequence[Actor]:
    """Add members with these roles in teams, and auditors."""
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        own = select(Team).where(Team.organization_id == organization.id).order_by(Team.id)
        teams = (await session.scalars(own)).all()
        made: list[Actor] = []
        for roles in (*ROLES, *ROLES):
            made.append(await make_member(session, organization))
            for number, role in roles.items():
                await make_membership(session, teams[number], made[-1], role)
        auditor = {"organization_role": OrganizationRole.AUDITOR}
        return made + [await make_member(session, organization, **auditor) for _ in range(2)]


def operations(random: Random, known: Mapping[str, object]) -> Iterator[tuple[str, Operation]]:
    """Yield for each type that the root fields lead to an operation with all of its fields."""
    seen: set[str] = set()
    for root, name in ROOTS.items():
        for path, type_ in paths(SCHEMA.type_map[name], seen):
            writer = Writer(SCHEMA, random, known)  # type: ignore[arg-type]  # as the differential test gives them
            fields = " ".join(writer.field(type_, each, 2) for each in type_.fields)
            text = f"{{ {root} {path.replace('…', f'{{ {fields} }}')} }}"
            declared = ", ".join(f"${name}: {of}" for name, of in writer.definitions.items())
            head = f"subscription ({declared})" if declared else "subscription"
            yield root, Operation("\n".join([f"{head} {text}", *writer.fragments]), writer.variables)


def paths(begin: GraphQLNamedType, seen: set[str]) -> Iterator[tuple[str, GraphQLObjectType]]:
    """Yield each further object type that a type leads to, and selections that lead there, with … for its own."""
    waiting = deque([("…", begin)])
    seen.add(begin.name)
    while waiting:
        path, type_ = waiting.popleft()
        if not isinstance(type_, GraphQLObjectType):
            for each in SCHEMA.get_possible_types(type_):  # type: ignore[arg-type]  # an interface or a union
                if each.name not in seen:
                    seen.add(each.name)
                    waiting.append((path.replace("…", f"{{ ... on {each.name} … }}"), each))
            continue
        yield path, type_
        for name, field in type_.fields.items():
            of = get_named_type(field.type)
            has_required = any(str(each.type).endswith("!") and not each.default_value for each in field.args.values())
            if not (is_leaf_type(of) or of.name in seen or has_required):
                seen.add(of.name)
                waiting.append((path.replace("…", f"{{ {name} … }}"), of))


class Results:
    """Delivers an event to a group of callers, and keeps what each gets."""

    def __init__(self, database: Database, worker: WorkerThread) -> None:
        self.database = database
        self.executor = compiled_executor(Settings(), api, lambda _: None, worker)
        self.deliveries = Deliveries(database, Budget(Settings(points_per_minute=0), database), _never)
        self.extents: Counter[Extent] = Counter()
        self.shared = 0

    async def of(
        self, operation: Operation, document: Prepared, source: Source, callers: Sequence[Caller]
    ) -> Mapping[str, list[object]]:
        async def run(execution: Execution) -> bytes:
            result = await executed(self.database, self.executor, document, execution, operation.variables)
            self.extents[execution.used.extent] += execution.is_shared
            self.shared += len(execution.receivers) - 1
            return result

        group = Group(Subscription("key", callers[0], source, run), "key", _idle)
        group.has_read = True
        found: dict[str, list[object]] = {each.actor_id: [] for each in callers}
        for each in callers:
            group.add(Subscriber(partial(_kept, found[each.actor_id]), lambda: None), each)
        await self.deliveries.deliver_new(group)
        return found


def _kept(results: list[object], result: bytes) -> bool:
    content, errors = orjson.loads(result)
    results.append((content, sorted(errors, key=orjson.dumps)))
    return True


async def _idle(_group: Group) -> None:
    """Read nothing: the test reads the group's events."""


def _never(_group: Group, _actor_ids: Collection[str]) -> None:
    raise AssertionError("No execution is refused.")


class Checked:
    """Instead of `Extent`: checks that statements use the parameter for roles in teams for nothing else."""

    @staticmethod
    def of(sql: str, names: Collection[str]) -> Extent:
        for number, name in enumerate(names, 1):
            if name == ACTOR_ID and "$1" in sql:
                used = re.findall(rf"(\S+ = )?\${number}(?!\d)", sql)
                assert set(used) == {"team_member.actor_id = "}, sql
        return Extent.of(sql, names)


@pytest.fixture
async def results(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Results]:
    monkeypatch.setattr(statement, "Extent", Checked)
    worker = WorkerThread()
    yield Results(demo_database, worker)
    worker.close()


async def test_a_shared_result_is_what_each_caller_gets_alone(demo_database: Database, results: Results) -> None:
    organization = await organization_of(demo_database)
    everyone = [caller(each) for each in await actors(demo_database, organization)]
    by_role = [[each for each in everyone if each.organization_role is role] for role in OrganizationRole]
    async with AsyncSession(demo_database.reads) as session:
        feed = select(Event).where(Event.organization_id == organization.id).order_by(Event.position)
        events = (await session.scalars(feed)).all()
    random, differing = Random(SEED), 0
    for root, operation in operations(random, await values(demo_database)):
        assert validate(SCHEMA, parse(operation.text)) == [], operation
        document = prepared(operation.text)
        for event in random.sample(events, EVENTS):
            earlier = [each for each in events if each.position < event.position]
            after = (earlier[-1].position, earlier[-1].id) if earlier else (START, "")
            only = replace(NO_FILTER, to_position=event.position)
            source = Source(only, cursor.encode(Event.position, *after), JobFilter() if root == "jobs" else None)
            for callers in filter(None, by_role):
                found = await results.of(operation, document, source, callers)
                for each in callers:
                    alone = await results.of(operation, document, source, [each])
                    assert found[each.actor_id] == alone[each.actor_id], operation
                differing += len({orjson.dumps(each) for each in found.values()}) > 1

    assert differing > 0
    assert results.shared > 0
    assert {Extent.TEAMS, Extent.ROLES, Extent.ALL_ROLES} <= results.extents.keys()
