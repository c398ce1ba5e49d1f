"""The number of statements of a relation doesn't depend on the number of parents."""

import asyncio
import importlib
import inspect
import os
import pkgutil
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    assert_object_type,
    assert_union_type,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet import resolvers
from mainsheet.executor import core_schema
from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.member import Member
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team
from mainsheet.models.webhook import Webhook
from mainsheet.resolvers import config_change, event, event_audience, event_visibility, locked_job
from mainsheet.resolvers.actor import MEMBERS, SERVICE_ACCOUNTS
from mainsheet.resolvers.job_list import bounded_counts, own_jobs
from mainsheet.resolvers.sql import snapshot
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.schema.api import api
from testbed.ask import Ask
from testbed.databases import postgres_database, sqlite_database
from testbed.world import World, make_membership, make_team
from tests.api.crowd import SIZE, make_crowd

SCHEMA = core_schema(api)
NEEDED = {("Job", "version"): "number: 1", **{("JobFacets", each): f"first: {SIZE}" for each in ("teams", "clusters")}}
LOOKUPS = {
    "cluster": f'id: "{Cluster.PREFIX}0"',
    **{f"{noun}ByExternalId": 'externalId: "0"' for noun in ("team", "cluster", "member", "serviceAccount")},
    "job": f'id: "{Job.PREFIX}0"',
    "jobByKey": 'jobKey: "job-0"',
    "member": f'id: "{Member.PREFIX}0"',
    "node": f'id: "{Job.PREFIX}0"',
    "nodes": f'ids: ["{Job.PREFIX}0"]',
    "savedQuery": f'id: "{SavedQuery.PREFIX}0"',
    "serviceAccount": f'id: "{ServiceAccount.PREFIX}0"',
    "team": f'id: "{Team.PREFIX}0"',
    "webhook": f'id: "{Webhook.PREFIX}0"',
}
IN_USE = {"ClusterInUseError", "SavedQueryInUseError", "TeamInUseError"}
ONE_A_MUTATION = {
    "ClusterNotActiveError",
    "DependencyCycleError",
    "DraftExistsError",
    "JobHasDependentsError",
    *IN_USE,
} | {get_named_type(each.type).name for each in assert_object_type(SCHEMA.mutation_type).fields.values()}
MANY_IN_A_MUTATION = {
    ("ForbiddenError", "team"),  # one for each team that the caller isn't in
    ("ClaimedRun", "run"),
    ("RunReportResult", "run"),
    ("ScheduledRunResult", "run"),
    ("ApplyResult", "changes"),
    ("ApplyResult", "job"),
    ("ApplyResult", "version"),
    ("UpdateJobsResult", "job"),
}
NO_BATCHES = {
    *(event.after_recent, event.end_of, event_audience.audience, config_change.shown),
    *(event_visibility.viewers, event_visibility.team_rights, bounded_counts.sees_few_jobs, own_jobs.list_to_count),
    *(snapshot.rows_alone, locked_job.load_parts, locked_job.versions_of),
}
WITHOUT_STATEMENT = {("JobSchedule", "description"), ("JobSchedule", "nextFireTimes")}  # computed from their keys
WARM_UP = "{ me { actor { id } } }"
ADD_TEAMS = """
mutation ($input: AddTeamsToJobInput!) {
  addTeamsToJob(input: $input) { userErrors { ... on ForbiddenError { team { id } } } }
}
"""
Step = tuple[str, str]  # a field and the type behind it


@dataclass(frozen=True)
class Reached:
    path: tuple[Step, ...]
    owner: str
    many: bool


def fields_of(owner: str) -> Mapping[str, GraphQLField]:
    fields: Mapping[str, GraphQLField] = assert_object_type(SCHEMA.type_map[owner]).fields
    return fields


def relations() -> list[tuple[str, str]]:
    return [
        (owner.name, name)
        for owner in SCHEMA.type_map.values()
        if isinstance(owner, GraphQLObjectType) and owner.name not in {"Subscription", "JobChange"}  # one at a time
        for name, field in owner.fields.items()
        if "relation" in getattr(field.extensions.get("strawberry-definition"), "metadata", {})
    ]


def reachable() -> dict[str, Reached]:
    """Find the shortest path from `Query` to each type, through a list if possible."""
    found: dict[tuple[str, bool], Reached] = {}
    waiting = deque([Reached((), "Query", many=False)])
    while waiting:
        here = waiting.popleft()
        if (here.owner, here.many) not in found:
            found[here.owner, here.many] = here
            waiting.extend(_next(here))
    return {owner: each for (owner, _), each in sorted(found.items())}


def _next(here: Reached) -> Iterator[Reached]:
    if here.owner == "Event":
        return  # many events lead to one object, or to none
    for name, field in fields_of(here.owner).items():
        if (here.owner, name) != ("Query", "events") and not _needs_more(here.owner, name, field):
            many = here.many or is_list_type(get_nullable_type(field.type))
            for owner in _objects(get_named_type(field.type)):
                yield Reached((*here.path, (name, owner.name)), owner.name, many)


def _needs_more(owner: str, name: str, field: GraphQLField) -> bool:
    return (owner, name) not in NEEDED and any(is_required_argument(each) for each in field.args.values())


def _objects(named: GraphQLNamedType) -> Sequence[GraphQLObjectType]:
    if is_leaf_type(named) or isinstance(named, GraphQLInterfaceType):
        return ()
    return (named,) if isinstance(named, GraphQLObjectType) else assert_union_type(named).types


WAYS = reachable()
FROM_LISTS = [each for each in relations() if each[0] in WAYS and WAYS[each[0]].many]
FROM_ROOT = [each for each in relations() if each[0] in WAYS and not WAYS[each[0]].many]


def selection(path: tuple[Step, ...], leaf: str, owner: str = "Query", limit: int | None = None) -> str:
    """Return a query of the path to the leaf. The first list on it gets the limit."""
    if not path:
        own_id = "id " if "id" in fields_of(owner) else ""
        return f"__typename {own_id}{leaf}" if owner != "Query" else leaf
    (name, behind), *rest = path
    can_limit = limit is not None and "limit" in fields_of(owner)[name].args
    arguments = f"limit: {limit}" if can_limit else NEEDED.get((owner, name), "")
    inner = selection(tuple(rest), leaf, behind, None if can_limit else limit)
    return f"{name}{arguments and f'({arguments})'} {{ ... on {behind} {{ {inner} }} }}"


def leaf_of(owner: str, name: str) -> str:
    """Return the relation's selection, with as few fields as possible."""
    field = fields_of(owner)[name]
    arguments = LOOKUPS.get(name, "") if owner == "Query" else NEEDED.get((owner, name), "")
    return f"{name}{arguments and f'({arguments})'} {_least_of(get_named_type(field.type))}"


def _least_of(named: GraphQLNamedType) -> str:
    if is_leaf_type(named):
        return ""
    is_list = isinstance(named, GraphQLObjectType) and "nodes" in named.fields  # then read its items, too
    return "{ nodes { __typename } }" if is_list else "{ __typename }"


def is_joined(owner: str, name: str) -> bool:
    """Whether the list above can join the relation."""
    definition: Any = fields_of(owner)[name].extensions["strawberry-definition"]
    return definition.metadata["relation"].join is not None


def parents(data: Any, path: Sequence[Step]) -> list[Mapping[str, Any]]:
    if isinstance(data, list):
        return [each for item in data for each in parents(item, path)]
    return [data] if not path else parents(data[path[0][0]], path[1:])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Member]]:
    with asyncio.Runner() as runner:
        if request.param == "sqlite":
            folder: Path = tmp_path_factory.mktemp("crowd")
            url = sqlite_database(folder, request.getfixturevalue("sqlite_template"))
            yield url, runner.run(_filled(url))
            return
        server, template = (request.getfixturevalue(f"postgres_{name}") for name in ("server", "template"))
        copy = postgres_database(server, template)
        url = runner.run(copy.__aenter__())
        yield url, runner.run(_filled(url))
        runner.run(copy.__aexit__(None, None, None))


async def _filled(url: str) -> Member:
    database = Database.open(url)
    try:
        return await make_crowd(database)
    finally:
        await database.close()


@pytest.fixture
async def admin(crowd: tuple[str, Member]) -> Member:
    return crowd[1]


@pytest.fixture
async def ask_crowd(crowd: tuple[str, Member], admin: Member) -> AsyncIterator[Ask]:
    database = Database.open(crowd[0])
    ask = Ask(database)
    await ask(admin, WARM_UP)
    yield ask
    await database.close()


def selects(ask: Ask) -> int:
    return sum(not statement.startswith(("BEGIN", "PRAGMA")) for statement in ask.statements)


def test_every_relation_is_tested() -> None:
    once = {each for each in relations() if each[0] in ONE_A_MUTATION}

    assert {*FROM_LISTS, *FROM_ROOT, *once, *MANY_IN_A_MUTATION} == set(relations())
    assert len(FROM_LISTS) > 30


@pytest.mark.parametrize(("owner", "name"), FROM_LISTS, ids=lambda each: each)
async def test_many_parents_cost_as_many_statements_as_one(
    ask_crowd: Ask, admin: Member, owner: str, name: str
) -> None:
    way, costs = WAYS[owner], {}
    for size in (1, 1, 10, SIZE):  # twice, since a number of rows that decides on the access path is remembered
        data = await ask_crowd(admin, f"{{ {selection(way.path, leaf_of(owner, name), limit=size)} }}")
        found = parents(data, way.path)
        assert len({each.get("id", index) for index, each in enumerate(found)}) >= size
        costs[size] = selects(ask_crowd)

    assert len(set(costs.values())) == 1, costs
    assert costs[1] >= (1 if is_joined(owner, name) or (owner, name) in WITHOUT_STATEMENT else 2)


@pytest.mark.parametrize(("owner", "name"), FROM_ROOT, ids=lambda each: each)
async def test_many_aliases_cost_as_many_statements_as_one(
    ask_crowd: Ask, admin: Member, owner: str, name: str
) -> None:
    asked, costs = selection(WAYS[owner].path, leaf_of(owner, name)), {}
    for size in (1, 10, SIZE):
        await ask_crowd(admin, "{" + " ".join(f"a{index}: {asked}" for index in range(size)) + "}")
        costs[size] = selects(ask_crowd)

    assert len(set(costs.values())) == 1, costs
    assert costs[1] >= 1


async def test_many_user_errors_cost_as_many_statements_as_one(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)
    team_ids = await _strange_teams(database, world)
    costs = []
    for size in (1, 10, SIZE):
        answer = await ask(world.team_admin, ADD_TEAMS, input={"jobId": job_id, "teamIds": team_ids[:size]})
        assert [each["team"]["id"] for each in answer["addTeamsToJob"]["userErrors"]] == team_ids[:size]
        costs.append(selects(ask))

    assert len(set(costs)) == 1, costs


async def _strange_teams(database: Database, world: World) -> list[str]:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        teams = [await make_team(session, world.organization) for _ in range(SIZE)]
        for team in teams:
            await make_membership(session, team, world.outsider)
        return [team.id for team in teams]


@pytest.mark.parametrize("path", ["jobs", "me { jobs", "teams { nodes { jobs", "clusters { nodes { jobs"])
async def test_a_total_costs_a_statement_only_if_selected(ask_crowd: Ask, admin: Member, path: str) -> None:
    closing = "}" * path.count("{")
    await ask_crowd(admin, f"{{ {path} {{ nodes {{ id }} pageInfo {{ endCursor }} }} {closing} }}")
    without = selects(ask_crowd)
    await ask_crowd(admin, f"{{ {path} {{ nodes {{ id }} pageInfo {{ endCursor }} totalCount }} {closing} }}")

    assert selects(ask_crowd) == without + 1


@pytest.mark.skipif(os.environ.get("MAINSHEET_EXECUTOR") == "reference", reason="it tells no batch what is read")
@pytest.mark.parametrize("path", ["jobs", "me { jobs", "teams { nodes { jobs", "clusters { nodes { jobs"])
async def test_a_total_alone_reads_no_page(ask_crowd: Ask, admin: Member, path: str) -> None:
    closing = "}" * path.count("{")
    await ask_crowd(admin, f"{{ {path} {{ nodes {{ id }} totalCount }} {closing} }}")
    with_page = selects(ask_crowd)
    await ask_crowd(admin, f"{{ {path} {{ totalCount }} {closing} }}")

    assert selects(ask_crowd) == with_page - 1


def batches() -> list[Any]:
    """Return all batches in `resolvers/`: functions, and the methods of each kind of actors."""
    names = [each.name for each in pkgutil.walk_packages(resolvers.__path__, "mainsheet.resolvers.")]
    modules = [importlib.import_module(name) for name in names if ".commands" not in name]
    functions = [
        function
        for module in modules
        for _, function in inspect.getmembers(module, inspect.iscoroutinefunction)
        if function.__module__ == module.__name__
    ]
    methods = [
        method
        for actors in (MEMBERS, SERVICE_ACCOUNTS)
        for _, method in inspect.getmembers(actors, inspect.iscoroutinefunction)
    ]
    return [each for each in functions + methods if not each.__name__.startswith("_") and each not in NO_BATCHES]


@pytest.mark.parametrize(
    "batch",
    dict.fromkeys(getattr(each, "__func__", each) for each in batches()),  # the methods of all kinds are the same
    ids=lambda each: f"{each.__module__}.{each.__qualname__}",
)
def test_a_batch_takes_many_keys_and_returns_a_mapping(batch: Any) -> None:
    hints = list(get_type_hints(batch).values())

    assert hints[0] is Read
    assert get_origin(hints[1]) is Sequence
    assert get_origin(hints[-1]) is Mapping


def test_each_relation_attaches_a_batch() -> None:
    attached = {
        fields_of(owner)[name].extensions["strawberry-definition"].metadata["relation"].batch
        for owner, name in relations()
    }

    assert attached <= set(batches())
