"""The list of all runs finds few matches by an index, and has the same rows whichever way they are found."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRunStatus
from mainsheet.resolvers import job_run
from mainsheet.resolvers.job_run import JobRunFilter
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import PagedList, totals
from mainsheet.resolvers.sql.snapshot import Read
from testbed.ask import Ask
from testbed.world import caller
from tests.scale.conftest import Big, few_jobs
from tests.scale.test_plans import ROLES, plans, refuse_walks

Ids = Mapping[str, str]
OF_JOBS = (
    "ix_job_run_job_created",
    "ix_job_run_version_created",
    "uq_job_run_job_id_scheduled_for",
    "(job_id=? AND scheduled_for>?)",  # the same, which has no name in SQLite
)
FILTERS: list[Callable[[Ids], JobRunFilter]] = [
    lambda _: JobRunFilter(),
    lambda _: JobRunFilter(statuses=(JobRunStatus.RUNNING, JobRunStatus.FAILED)),
    lambda _: JobRunFilter(statuses=()),
    lambda _: JobRunFilter(scheduled_since=datetime(2026, 1, 1, tzinfo=UTC)),
    lambda ids: JobRunFilter(job_ids=(ids["job"], "JR0")),
    lambda ids: JobRunFilter(cluster_ids=(ids["cluster"],), statuses=(JobRunStatus.SUCCEEDED,)),
]


def by_jobs(plan: str) -> bool:
    return any(index in plan for index in OF_JOBS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ("statuses: [RUNNING]", "ix_job_run_organization_status"),
        ('scheduledSince: "2026-11-27T00:00:00Z"', "ix_job_run_organization_scheduled"),
        ('jobIds: ["$job"]', OF_JOBS[0]),
    ],
)
async def test_a_filtered_page_of_runs_scans_first_then_uses_an_index(
    big: Big, big_database: Database, ask_big: Ask, role: str, wanted: str, index: str
) -> None:
    for name, id_ in big.ids.items():
        wanted = wanted.replace(f"${name}", id_)
    await ask_big(getattr(big, role), f"{{ runs(limit: 20, filter: {{{wanted}}}) {{ nodes {{ id }} }} }}")

    found = await plans(big, big_database, ask_big)
    refuse_walks(found, wanted)
    (plan,) = found.values()
    assert "ix_job_run_organization_created" in plan
    assert index in plan or ((role == "member" or index in OF_JOBS) and by_jobs(plan))


async def test_runs_of_few_granted_jobs_are_found_by_their_jobs(big: Big, big_database: Database, ask_big: Ask) -> None:
    await ask_big(big.member, "{ runs(limit: 20) { nodes { id } } }")

    (plan,) = (await plans(big, big_database, ask_big)).values()
    assert "ix_job_run_organization_created" in plan
    assert by_jobs(plan)


@few_jobs
@pytest.mark.parametrize("role", ROLES)
async def test_all_ways_find_the_same_runs(
    big: Big, big_database: Database, role: str, scan_limit: Callable[[int], None]
) -> None:
    read = Read.of(big_database, caller(getattr(big, role)))
    for limit in (10, 300):
        scan_limit(limit)
        for wanted in FILTERS:
            for descending in (False, True):
                own = {name: each for name, each in vars(wanted(big.ids)).items() if each is not None}
                expected = await pages_and_total(read, job_run.OF_ORGANIZATIONS, own, descending)
                granted: dict[str, Any] = own | ({} if role == "admin" else {job_run.GRANTED: None})

                found = await pages_and_total(read, job_run.MATCHES_OF_ORGANIZATIONS, granted, descending)

                assert found == expected, (limit, own, descending)
    await read.close()


async def pages_and_total(
    read: Read, path: PagedList[Any], parameters: Mapping[str, object], descending: bool
) -> tuple[list[str], int]:
    """Return the ids of two pages of 30, the second by the cursor after the first, and the number of all rows."""
    key = read.caller.organization_id
    first = (await path.pages(read, [key], PageArguments(30, descending=descending), parameters=parameters))[key]
    after = PageArguments(30, after=first.end_cursor, descending=descending)
    second = (await path.pages(read, [key], after, parameters=parameters))[key]
    total = (await totals(read, [first]))[first]
    return [row.id for row in (*first.nodes, *second.nodes)], total
