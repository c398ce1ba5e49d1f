"""The jobs and versions that run a saved query: a page reads few of many, and all access paths give the same rows."""

from collections.abc import Callable, Mapping
from itertools import cycle

import pytest
from sqlalchemy import func, select

from mainsheet.models.database import Database
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_version import JobVersionQuery
from mainsheet.resolvers.job_filter import JobFilter, parameters
from mainsheet.resolvers.job_list import saved_queries
from mainsheet.resolvers.job_list.access_paths import JobSortField
from mainsheet.resolvers.job_list.saved_queries import AMONG_GRANTED, OF_SAVED_QUERIES, SCAN_THEN_LOOK_UP
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList, totals
from mainsheet.resolvers.sql.snapshot import Read
from testbed.ask import Ask
from testbed.world import caller
from tests.scale.conftest import Big, few_jobs
from tests.scale.plans import sorts
from tests.scale.test_plans import ROLES, plans, refuse_all_of_the_tenant, refuse_walks

FILTERS = (JobFilter(), JobFilter(search="orders"), JobFilter(statuses=(JobStatus.PAUSED,), has_draft=False))
JOBS = "query ($id: ID!) { savedQuery(id: $id) { jobs(limit: 20) { nodes { id } } } }"
VERSIONS = "query ($id: ID!, $after: String) { savedQuery(id: $id) { versions(first: 20, after: $after) { %s } } }"
FOUND = "nodes { id createdAt } pageInfo { endCursor }"


@pytest.fixture
async def query_id(big_database: Database) -> str:
    """Return the saved query that most versions run."""
    by_uses = select(JobVersionQuery.query_id).group_by(JobVersionQuery.query_id).order_by(func.count().desc())
    async with big_database.reads.connect() as connection:
        return str(await connection.scalar(by_uses.limit(1)))


async def pages_and_total(
    read: Read, path: PagedList[Job], key: str, wanted: Mapping[str, object], descending: bool
) -> tuple[list[str], list[str], int]:
    """Return the ids of a page and of the page after its end, and the total."""
    first = await page_of(read, path, key, wanted, PageArguments(20, descending=descending))
    second = await page_of(read, path, key, wanted, PageArguments(20, after=first.end_cursor, descending=descending))
    total = (await totals(read, [first]))[first]
    return [row.id for row in first.nodes], [row.id for row in second.nodes], total


async def page_of(
    read: Read, path: PagedList[Job], key: str, wanted: Mapping[str, object], page: PageArguments
) -> Page[Job]:
    return (await path.pages(read, [key], page, parameters=wanted))[key]


@few_jobs
@pytest.mark.parametrize("role", ROLES)
async def test_all_access_paths_give_the_same_jobs(
    big: Big, big_database: Database, query_id: str, role: str, scan_limit: Callable[[int], None]
) -> None:
    scan_limit(10)  # five times as many jobs are scanned first, which don't always fill a page
    read = Read.of(big_database, caller(getattr(big, role)))
    organization_id = read.caller.organization_id
    for sort, wanted, descending in zip(JobSortField, cycle(FILTERS), cycle((False, True)), strict=False):
        others = parameters(wanted, organization_id)
        expected = await pages_and_total(read, OF_SAVED_QUERIES[sort], query_id, others, descending)

        assert expected[0]
        for path in (SCAN_THEN_LOOK_UP,) if role == "admin" else (SCAN_THEN_LOOK_UP, AMONG_GRANTED):
            its = {**others, "saved_query_ids": (query_id,)}
            assert await pages_and_total(read, path[sort], organization_id, its, descending) == expected, (sort, wanted)
    await read.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("many", "index"), [(0, "ix_job_organization_created"), (10_000, "ix_job_version_query_query")]
)
async def test_jobs_of_a_query_that_many_versions_run_are_scanned(
    big: Big,
    big_database: Database,
    ask_big: Ask,
    query_id: str,
    role: str,
    many: int,
    index: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saved_queries, "MANY_USES", many)
    monkeypatch.setattr(saved_queries, "LARGE_SET", 0)  # as if the member had many grants
    for _ in range(2):  # so that the numbers of versions and grants are cached
        data = await ask_big(getattr(big, role), JOBS, id=query_id)

    found = await plans(big, big_database, ask_big)
    refuse_walks(found, (role, many))
    assert any(index in plan for plan in found.values())
    assert len(found) == 2
    assert data["savedQuery"]["jobs"]["nodes"]


async def test_jobs_of_a_member_are_checked_in_the_order_of_the_grants(
    big: Big, big_database: Database, ask_big: Ask, query_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grants are sorted, not the jobs: these are read one by one until the page is full."""
    monkeypatch.setattr(saved_queries, "MANY_USES", 0)
    for _ in range(2):  # so that the numbers of versions and grants are cached
        data = await ask_big(big.member, JOBS, id=query_id)

    found = await plans(big, big_database, ask_big)
    refuse_all_of_the_tenant(found, query_id)
    (plan,) = [plan for statement, plan in found.items() if "job_version_query" in statement]
    assert "ix_job_team_team" in plan
    assert "in_order" in plan
    assert data["savedQuery"]["jobs"]["nodes"]


@pytest.mark.parametrize("role", ROLES)
async def test_versions_of_a_query_are_read_in_order(
    big: Big, big_database: Database, ask_big: Ask, query_id: str, role: str
) -> None:
    """A page isn't sorted. Pages after one another are in the order of creation, and have no version twice."""
    created, after = [], None
    for _ in range(3):
        data = await ask_big(getattr(big, role), VERSIONS % FOUND, id=query_id, after=after)
        page = data["savedQuery"]["versions"]
        created += [(each["createdAt"], each["id"]) for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    found = await plans(big, big_database, ask_big)
    assert len(created) == 60
    assert created == sorted(set(created))
    for plan in found.values():
        assert not sorts(plan), plan
    refuse_walks(found, role)
