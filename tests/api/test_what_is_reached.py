"""Every link of the schema, from every root, leads a member to visible objects only.

The operations are written from the schema: a new type, field or list is followed without a line here.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.executor import core_schema
from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.job_version import JobVersion
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team
from mainsheet.resolvers.caller import Caller
from mainsheet.schema.api import api
from testbed.ask import Ask, config
from testbed.world import World

SEES = {
    "admin": {"own", "viewed", "hidden"},
    "auditor": {"own", "viewed", "hidden"},
    "team_admin": {"own"},
    "contributor": {"own", "viewed"},
    "viewer": {"own"},
    "outsider": set(),
    "abroad": {"abroad"},
}
ARGUMENTS = {"Job.version": "number: 2"}
OF_QUERY = ("job", "jobByKey", "team", "cluster", "member", "serviceAccount", "savedQuery", "webhook", "node", "nodes")
BY_ARGUMENT = {f"Query.{name}" for name in OF_QUERY} | {
    f"Query.{noun}ByExternalId" for noun in ("team", "cluster", "member", "serviceAccount")
}

SCHEMA = core_schema(api)
NODE = SCHEMA.type_map["Node"]
assert isinstance(NODE, GraphQLInterfaceType)
NODES = sorted(each.name for each in SCHEMA.get_possible_types(NODE))


def selection(type_: GraphQLNamedType) -> str:
    """Return a selection of all fields of the type, with the ids of the next nodes."""
    if isinstance(type_, GraphQLUnionType | GraphQLInterfaceType):
        return f"{{ {' '.join(fragment(each.name) for each in SCHEMA.get_possible_types(type_))} }}"
    assert isinstance(type_, GraphQLObjectType)
    return f"{{ {' '.join(fields(type_))} }}"


def fragment(name: str) -> str:
    return f"... on {name} {selection(SCHEMA.type_map[name])}"


def fields(type_: GraphQLObjectType) -> Iterator[str]:
    for name, field in type_.fields.items():
        if f"{type_.name}.{name}" not in BY_ARGUMENT:
            result = get_named_type(field.type)
            inner = "" if is_leaf_type(result) else "{ node: id }" if is_node(result) else selection(result)
            yield f"{type_.name}_{name}: {name}{arguments(type_.name, name, field)} {inner}"


def is_node(type_: GraphQLNamedType) -> bool:
    return type_ is NODE or (isinstance(type_, GraphQLObjectType) and NODE in type_.interfaces)


def arguments(type_name: str, name: str, field: GraphQLField) -> str:
    if any(map(is_required_argument, field.args.values())):
        return f"({ARGUMENTS[f'{type_name}.{name}']})"
    return ""


ROOTS = f"query {selection(SCHEMA.type_map['Query'])}"
LINKS = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ node: id {' '.join(map(fragment, NODES))} }} }}"


def ids(data: Any) -> set[str]:
    """Return the ids of all nodes in a response."""
    match data:
        case dict():
            own = {data["node"]} if isinstance(data.get("node"), str) else set()
            return own.union(*map(ids, data.values()))
        case list():
            return set().union(*map(ids, data))
    return set()


@pytest.fixture
async def jobs(ask: Ask, world: World, database: Database) -> Mapping[str, str]:
    """Create a job for each team with all related objects, and one in the other organization."""
    made: dict[str, str] = {}
    for name, team in (("hidden", world.platform), ("viewed", world.analytics), ("own", world.data_eng)):
        query_ids = {"queryIds": [each.id for each in world.queries]}
        waits = [{"jobId": each} for each in made.values()]
        filled = config(world, source={"savedQueries": query_ids}, dependencies=waits, schedule={"cron": "0 0 * * *"})
        made[name] = await ask.create_job(world.admin, world, jobKey=f"job-{name}", teamIds=[team.id], config=filled)
    foreign = {"clusterId": world.foreign.cluster.id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    made["abroad"] = await ask.create_job(
        world.foreign.admin, world, jobKey="job-abroad", teamIds=[world.foreign.team.id], config=foreign
    )
    for name, job_id in made.items():
        by = world.foreign.admin if name == "abroad" else world.admin
        for change in ("createVersion", "createDraft"):
            query = f"""mutation ($id: ID!) {{ {change}(input: {{jobId: $id, changes: {{maxRetries: 2}}}}) {{
                userErrors {{ code }} }} }}"""
            assert (await ask(by, query, id=job_id))[change]["userErrors"] == []
    async with AsyncSession(database.writes) as session, session.begin():
        for job in await session.scalars(select(Job)):
            session.add(finished_run(job))
    return made


def finished_run(job: Job) -> JobRun:
    now = datetime.now(UTC)
    return JobRun(
        id=new_id("JR"),
        organization_id=job.organization_id,
        job_id=job.id,
        version_number=1,
        cluster_id=job.current_cluster_id,
        status=JobRunStatus.SUCCEEDED,
        trigger=JobRunTrigger.MANUAL,
        created_at=now,
        started_at=now,
        finished_at=now,
    )


async def visible(database: Database, organization_id: str, job_ids: set[str]) -> dict[type[Any], set[str]]:
    """Return the ids of these jobs' objects, and of all that everybody in the organization sees."""
    async with AsyncSession(database.reads) as session:
        found: dict[type[Any], set[str]] = {
            table: set(await session.scalars(select(table.id).where(table.job_id.in_(job_ids))))
            for table in (JobVersion, JobRun, Event)
        }
        for table in (Team, Cluster, Member, SavedQuery):
            of = table.organization_id == organization_id
            found[table] = set(await session.scalars(select(table.id).where(of)))
        tables: list[type[Any]] = [*found, Job, Organization]
        everything: set[str] = set().union(*[await session.scalars(select(each.id)) for each in tables])
    return {**found, Job: job_ids, Organization: {organization_id}, object: everything}


def as_viewer(actor_id: str) -> str:
    return f"{Caller.PREFIX}{actor_id[2:]}"


@pytest.mark.parametrize("who", SEES)
async def test_every_link_leads_to_visible_objects_only(
    ask: Ask, world: World, database: Database, jobs: Mapping[str, str], who: str
) -> None:
    member = world.foreign.admin if who == "abroad" else getattr(world, who)
    seen = await visible(database, member.organization_id, {jobs[each] for each in SEES[who]})
    everything = seen.pop(object)
    everything |= {as_viewer(each) for each in everything if each.startswith(Member.PREFIX)}
    allowed = {as_viewer(member.id)}.union(*seen.values())

    reached, new, text = set(), ids(roots := await ask(member, ROOTS)), str(roots)
    while new:
        reached |= new
        answer = await ask(member, LINKS, ids=sorted(new))
        text += str(answer)
        new = ids(answer) - reached
    by_id = ids(await ask(member, LINKS, ids=sorted(everything)))

    assert reached <= allowed
    assert by_id == allowed
    for table in (Job, JobVersion, JobRun, Event, Team, Cluster, SavedQuery, Organization):
        assert seen[table] <= reached, table
    assert not [each for each in everything - allowed if each in text]
    assert not [name for name in jobs.keys() - SEES[who] if f"job-{name}" in text]
