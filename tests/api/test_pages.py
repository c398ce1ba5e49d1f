"""Pages by number and by cursor: every kind of pagination gives each item once, in the same order."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.errors import BadInput
from mainsheet.models.job import Job
from mainsheet.models.job_config import JobConfig
from mainsheet.models.member import Member
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.source import SqlSnapshot
from testbed.ask import Ask, Failed
from testbed.world import World, make_cluster, make_member, make_organization, make_team

JOBS = """
query ($sortBy: JobSortField! = CREATED_AT, $sortDirection: SortDirection! = ASC,
       $limit: Int, $page: Int, $first: Int, $after: String, $last: Int, $before: String) {
  jobs(sortBy: $sortBy, sortDirection: $sortDirection,
       limit: $limit, page: $page, first: $first, after: $after, last: $last, before: $before) { ...Page }
}
"""
BY_TEAM = JOBS.replace("{\n  jobs(", "{\n  teams { nodes { id jobs(").replace("Page }\n", "Page } } }\n")
OF_TEAM = JOBS.replace("query (", "query ($team: ID!, ").replace("{\n  jobs(", "{\n  team(id: $team) { jobs(")
OF_TEAM = OF_TEAM.replace("Page }\n", "Page } }\n")
PAGE = """
fragment Page on JobConnection {
  edges { cursor node { id } } nodes { id jobKey } totalCount
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}
"""
TEAMS = """
query ($first: Int, $after: String) {
  teams(first: $first, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } }
}
"""
MOMENTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=each) for each in (0, 1, 1000)]
FIELDS = {
    "JOB_KEY": "job_key",
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "NAME": "name",
    "LATEST_RUN_AT": "latest_run_at",
}
SORTED_TEXTS = {("job", "job_key"), *((table, "name") for table in ("actor", "cluster", "saved_query", "team"))}

job_keys = st.from_regex(r"[ab0]{1,2}(-[ab0]){0,2}", fullmatch=True)
moments = st.sampled_from(MOMENTS)
drafted_jobs = st.lists(st.tuples(job_keys, moments, moments), unique_by=lambda each: each[0], max_size=9)
orders = st.fixed_dictionaries(
    {"sortBy": st.sampled_from(list(FIELDS)), "sortDirection": st.sampled_from(["ASC", "DESC"])}
)
sizes = st.integers(1, 5)
on_one_database = settings(max_examples=8, derandomize=True)


class Shelf:
    """A separate organization with jobs that the test defines."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs: list[Job] = []

    async def fill(self, drafted: Sequence[tuple[str, datetime, datetime]], teams: int = 1) -> Member:
        async with AsyncSession(self.database.writes, expire_on_commit=False) as session, session.begin():
            organization = await make_organization(session)
            self.admin = await make_member(session, organization, organization_role=OrganizationRole.ADMIN)
            self.cluster = await make_cluster(session, organization)
            self.teams = [await make_team(session, organization) for _ in range(teams)]
        for index, each in enumerate(drafted):
            await self.add(*each, team=index % teams)
        return self.admin

    async def add(self, job_key: str, created_at: datetime, updated_at: datetime, team: int = 0) -> Job:
        values = {"job_key": job_key, "name": job_key[0], "description": None}
        config = JobConfig(cluster_id=self.cluster.id, source=SqlSnapshot("SELECT 1"))
        edit = Edit(self.admin.id, created_at)
        job = Job.create(values, config, [self.teams[team].id], self.admin.organization_id, edit)
        job.updated_at = updated_at
        if "-" in job_key:  # the others never ran
            job.latest_run_at = updated_at
        async with AsyncSession(self.database.writes, expire_on_commit=False) as session, session.begin():
            session.add(job)
        self.jobs.append(job)
        return job

    def sorted(self, sortBy: str, sortDirection: str) -> list[str]:  # noqa: N803 as the API calls it
        by = sorted(self.jobs, key=lambda job: (getattr(job, FIELDS[sortBy]), job.id))
        return [job.id for job in (by if sortDirection == "ASC" else by[::-1])]


def ids(page: dict[str, Any]) -> list[str]:
    assert [edge["node"]["id"] for edge in page["edges"]] == [node["id"] for node in page["nodes"]]
    ends = [edge["cursor"] for edge in page["edges"][:1] + page["edges"][-1:]] or [None, None]
    assert [page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"]] == ends
    return [node["id"] for node in page["nodes"]]


async def numbered(ask: Ask, member: Member, size: int, **order: str) -> list[str]:
    found, number = [], 1
    while True:
        page = (await ask(member, JOBS + PAGE, limit=size, page=number, **order))["jobs"]
        assert page["pageInfo"]["hasPreviousPage"] == (number > 1)
        found += ids(page)
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        number += 1


async def forwards(ask: Ask, member: Member, size: int, **order: str) -> list[str]:
    found, after = [], None
    while True:
        page = (await ask(member, JOBS + PAGE, first=size, after=after, **order))["jobs"]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        found += ids(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found


async def backwards(ask: Ask, member: Member, size: int, **order: str) -> list[str]:
    found: list[str] = []
    before = None
    while True:
        page = (await ask(member, JOBS + PAGE, last=size, before=before, **order))["jobs"]
        assert page["pageInfo"]["hasNextPage"] == (before is not None)
        found = ids(page) + found
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            assert page["totalCount"] == len(found)
            return found


@on_one_database
@given(drafted=drafted_jobs, order=orders, size=sizes)
async def test_every_pagination_gives_each_item_once_in_order(
    ask: Ask, database: Database, drafted: list[Any], order: dict[str, str], size: int
) -> None:
    shelf = Shelf(database)
    member = await shelf.fill(drafted)

    expected = shelf.sorted(**order)

    assert await numbered(ask, member, size, **order) == expected
    assert await forwards(ask, member, size, **order) == expected
    assert await backwards(ask, member, size, **order) == expected


@on_one_database
@given(drafted=drafted_jobs, order=orders, size=sizes, new=st.tuples(job_keys, moments, moments), back=st.booleans())
async def test_an_inserted_row_shifts_no_cursor(
    ask: Ask, database: Database, drafted: list[Any], order: dict[str, str], size: int, new: Any, back: bool
) -> None:
    shelf = Shelf(database)
    member = await shelf.fill([each for each in drafted if each[0] != new[0]])
    names = ("last", "before", "startCursor") if back else ("first", "after", "endCursor")
    page = (await ask(member, JOBS + PAGE, **{names[0]: size}, **order))["jobs"]
    seen, cursor = ids(page), page["pageInfo"][names[2]]

    await shelf.add(*new)
    rest = (await ask(member, JOBS + PAGE, **{names[0]: 100, names[1]: cursor}, **order))["jobs"]

    every = shelf.sorted(**order)
    here = every.index(seen[0 if back else -1]) if seen else -1
    assert ids(rest) == (every[:here] if back and seen else every[here + 1 :])


@on_one_database
@given(drafted=drafted_jobs, order=orders, size=st.integers(0, 3), at=st.integers(0, 8))
async def test_pages_of_many_parents_equal_those_of_each(
    ask: Ask, database: Database, drafted: list[Any], order: dict[str, str], size: int, at: int
) -> None:
    shelf = Shelf(database)
    member = await shelf.fill(drafted, teams=3)
    edges = (await ask(member, JOBS + PAGE, **order))["jobs"]["edges"]
    cursor = edges[at % len(edges)]["cursor"] if edges else None

    for part in ({"limit": size, "page": 2}, {"first": size, "after": cursor}, {"last": size, "before": cursor}):
        together = (await ask(member, BY_TEAM + PAGE, **part, **order))["teams"]["nodes"]
        for team in together:
            alone = await ask(member, OF_TEAM + PAGE, team=team["id"], **part, **order)
            assert team["jobs"] == alone["team"]["jobs"]
    assert len(together) == 3


@on_one_database
@given(names=st.lists(st.text("aAbBäÄzZ-_ 1", min_size=1, max_size=3), unique=True, max_size=8))
async def test_names_are_sorted_by_code_point(ask: Ask, database: Database, names: list[str]) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        organization = await make_organization(session)
        member = await make_member(session, organization)
        for name in names:
            await make_team(session, organization, name=name)

    found, after, more = [], None, True
    while more:
        page = (await ask(member, TEAMS, first=3, after=after))["teams"]
        found += [node["name"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert found == sorted(names)


async def test_postgresql_sorts_by_code_point_in_any_locale(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    columns = text("SELECT table_name, column_name FROM information_schema.columns WHERE collation_name = 'C'")
    async with database.reads.connect() as connection:
        found = {tuple(row) for row in await connection.execute(columns)}
    await database.close()

    assert found >= SORTED_TEXTS


async def test_a_page_of_size_0_has_the_total(ask: Ask, world: World) -> None:
    await ask.create_job(world.contributor, world)

    for size in ({"limit": 0}, {"first": 0}, {"last": 0}):
        page = (await ask(world.contributor, JOBS + PAGE, **size))["jobs"]
        assert (ids(page), page["totalCount"]) == ([], 1)
        assert page["pageInfo"]["hasPreviousPage" if "last" in size else "hasNextPage"] is True


async def test_a_page_after_the_end_is_empty_with_the_total(ask: Ask, world: World) -> None:
    await ask.create_job(world.contributor, world)

    for number in (2, 2**31 - 1):
        page = (await ask(world.contributor, JOBS + PAGE, limit=100, page=number))["jobs"]
        assert (ids(page), page["totalCount"]) == ([], 1)
        assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (False, True)


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


REFUSED = [
    {"limit": -1},
    {"limit": 101},
    {"first": 101},
    {"last": -1},
    {"page": 0},
    {"limit": 1, "first": 1},
    {"page": 1, "after": "x"},
    {"first": 1, "last": 1},
    {"first": 1, "before": "x"},
    {"after": "x", "before": "x"},
    {"after": ""},
    {"after": "not base64!"},
    {"after": "ä"},
    {"before": "e30"},
    {"after": cursor()},
    {"after": cursor("job_key", "a", "JB")},
    {"after": cursor("created_at", 1, "JB")},
    {"after": cursor("created_at", "yesterday", "JB")},
    {"after": cursor("created_at", "0001-01-01T00:00:00+14:00", "JB")},
    {"before": cursor("created_at", "9999-12-31T23:00:00-14:00", "JB")},
    {"after": cursor("created_at", "2026-01-01T00:00:00+00:00", 1)},
    {"after": cursor("created_at", "2026-01-01T00:00:00+00:00", "\0")},
    {"after": cursor("job_key", "\0", "JB"), "sortBy": "JOB_KEY"},
    {"after": cursor("job_key", ["a"], "JB"), "sortBy": "JOB_KEY"},
]


@pytest.mark.parametrize("part", REFUSED, ids=str)
async def test_invalid_page_arguments_are_refused(ask: Ask, world: World, part: Any) -> None:
    await ask.create_job(world.contributor, world)

    with pytest.raises(Failed) as failed:
        await ask(world.contributor, JOBS + PAGE, **part)

    assert [type(each.original_error) for each in failed.value.errors] == [BadInput]


VERSIONS = """
query ($id: ID!, $after: String) { job(id: $id) { versions(after: $after) { nodes { number } } } }
"""


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**70, 1.5, "1", None, True])
async def test_a_cursor_with_an_invalid_number_is_refused(ask: Ask, world: World, value: Any) -> None:
    job_id = await ask.create_job(world.contributor, world)

    with pytest.raises(Failed) as failed:
        await ask(world.contributor, VERSIONS, id=job_id, after=cursor("number", value, "JV"))

    assert [type(each.original_error) for each in failed.value.errors] == [BadInput]


NESTED = [
    *("clusters", "savedQueries", "teams", "me.teams", "teams.members"),
    *("jobs.teams", "jobs.dependents", "jobs.events", "jobs.runs", "jobs.versions"),
]


@pytest.mark.parametrize("path", NESTED)
async def test_each_list_is_sorted_in_both_directions(demo_database: Database, path: str) -> None:
    async with AsyncSession(demo_database.reads) as session:
        asker = (await session.scalars(select(Member).where(Member.email == "contributor@harbor.example"))).one()
    ask, (*parents, name) = Ask(demo_database), path.split(".")

    async def listed(arguments: str) -> list[list[str]]:
        query = f"{name}({arguments}) {{ nodes {{ id }} }}"
        for parent in parents:
            query = f"{parent} {{ {query} }}" if parent == "me" else f"{parent} {{ nodes {{ {query} }} }}"
        answer: Any = await ask(asker, f"{{ {query} }}")
        owners = [answer] if not parents else answer[parents[0]].get("nodes", [answer[parents[0]]])
        return [[each["id"] for each in owner[name]["nodes"]] for owner in owners]

    ascending = await listed("sortDirection: ASC")
    descending = await listed("sortDirection: DESC")

    assert max(map(len, ascending)) > 1
    assert descending == [each[::-1] for each in ascending]
    assert await listed("sortDirection: DESC, last: 2") == [each[-2:] for each in descending]
    assert await listed("limit: 100") == (descending if name in {"events", "runs"} else ascending)
