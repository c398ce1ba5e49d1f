"""All access paths to a list of jobs give the same pages and totals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.source import SourceKind
from mainsheet.resolvers import team
from mainsheet.resolvers.job_filter import JobFilter, parameters
from mainsheet.resolvers.job_list import facets
from mainsheet.resolvers.job_list.access_paths import (
    BY_CONDITION,
    BY_GRANTS,
    FAR_PAGE,
    IN_ORDER,
    OF_TEAMS,
    OWN_IN_ORDER,
    OWN_TEAMS,
    SCAN_THEN_INDEX,
    SCAN_THEN_OWN,
    TEAMS_BY_GRANTS,
    TEAMS_BY_SET,
    TEAMS_IN_ORDER,
    JobSortField,
)
from mainsheet.resolvers.job_list.own_jobs import OWN_JOBS
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.sql.pagination import scan_then_index
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList, totals
from mainsheet.resolvers.sql.snapshot import Read
from testbed.world import caller
from tests.scale.conftest import Big, few_jobs

pytestmark = few_jobs
SINCE = datetime(2026, 9, 1, tzinfo=UTC)
PAGES = (
    PageArguments(20),
    PageArguments(7, 40),
    PageArguments(20, backwards=True),
    PageArguments(100, 400),
    PageArguments(0),
)
SCAN_LIMITS = (300, 20)  # a scan fills some of these pages, or almost none
PATHS_OF_TEAMS = (OF_TEAMS, TEAMS_IN_ORDER, TEAMS_BY_SET)


def filters(ids: Mapping[str, str]) -> Iterator[JobFilter]:
    yield JobFilter()
    yield JobFilter(search="orders")
    yield JobFilter(search="warehouse", has_schedule=True)
    yield JobFilter(search="or", statuses=(JobStatus.PAUSED,))
    yield JobFilter(search="zq")
    yield JobFilter(team_ids=(ids["team"], ids["other"]))
    yield JobFilter(cluster_ids=(ids["cluster"],), has_draft=False)
    yield JobFilter(has_draft=True)
    yield JobFilter(tags_any_of=("daily", "hourly"))
    yield JobFilter(tags_all_of=("daily", "team:data-eng"))
    yield JobFilter(has_schedule=False, updated_since=SINCE)
    yield JobFilter(created_by_ids=(ids["author"],))
    yield JobFilter(updated_by_ids=(ids["author"],), source_kinds=(SourceKind.PYTHON_FILE,))
    yield JobFilter(latest_run_statuses=(JobRunStatus.FAILED,))
    yield JobFilter(latest_run_statuses=(JobRunStatus.CANCELLED, None))
    yield JobFilter(created_since=SINCE)
    yield JobFilter(ids=(ids["job"],))
    yield JobFilter(updated_since=SINCE)
    yield JobFilter(team_ids=())


async def pages_and_total(read: Read, paged_list: PagedList[Job], wanted: JobFilter, descending: bool) -> list[Any]:
    """Return several pages, one of them after a cursor, and the total."""
    first = await page_of(read, paged_list, wanted, PAGES[0], descending)
    pages = [await page_of(read, paged_list, wanted, each, descending) for each in PAGES]
    after = [await page_of(read, paged_list, wanted, PageArguments(10, after=first.end_cursor), descending)]
    return [_values(each) for each in pages + after] + list((await totals(read, [first])).values())


async def page_of(
    read: Read, paged_list: PagedList[Job], wanted: JobFilter, page: PageArguments, descending: bool
) -> Page[Job]:
    key = read.caller.organization_id
    page = replace(page, descending=descending)
    return (await paged_list.pages(read, [key], page, parameters=parameters(wanted, key)))[key]


def not_compiled(path: Mapping[JobSortField, PagedList[Job]]) -> Mapping[JobSortField, PagedList[Job]]:
    """Return a copy, whose statements will be compiled with the limit of a scan at that time."""
    return {sort: replace(paged_list) for sort, paged_list in path.items()}


def _values(page: Page[Job]) -> tuple[list[str], bool, str | None]:
    return [row.id for row in page.nodes], page.has_more, page.end_cursor


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_all_access_paths_give_the_same_rows(
    big: Big, big_database: Database, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Read.of(big_database, caller(getattr(big, role)))
    scans = {limit: not_compiled(SCAN_THEN_INDEX) for limit in SCAN_LIMITS}
    for wanted, sort, descending in zip(filters(big.ids), cycle(JobSortField), cycle((False, True)), strict=False):
        expected = await pages_and_total(read, BY_GRANTS[sort], wanted, descending)

        for path in (BY_CONDITION, IN_ORDER, FAR_PAGE):
            assert await pages_and_total(read, path[sort], wanted, descending) == expected, (wanted, sort)
        for limit, path in scans.items():
            monkeypatch.setattr(scan_then_index, "SCAN_LIMIT", limit)
            assert await pages_and_total(read, path[sort], wanted, descending) == expected, (wanted, sort, limit)
    await read.close()


async def test_scans_before_a_lookup_of_the_callers_jobs_give_the_same_rows(
    big: Big, big_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Read.of(big_database, caller(big.member))
    scans = {limit: not_compiled(SCAN_THEN_OWN) for limit in SCAN_LIMITS}
    for wanted, sort, descending in zip(filters(big.ids), cycle(JobSortField), cycle((False, True)), strict=False):
        expected = await pages_and_total(read, BY_GRANTS[sort], wanted, descending)

        for limit, path in scans.items():
            monkeypatch.setattr(scan_then_index, "SCAN_LIMIT", limit)
            assert await pages_and_total(read, path[sort], wanted, descending) == expected, (wanted, sort, limit)
    await read.close()


@pytest.mark.parametrize("descending", [False, True])
async def test_checks_of_the_callers_jobs_in_order_give_the_same_rows(
    big: Big, big_database: Database, descending: bool
) -> None:
    read = Read.of(big_database, caller(big.member))
    sort = JobSortField.CREATED_AT
    for wanted in filters(big.ids):
        expected = await pages_and_total(read, BY_GRANTS[sort], wanted, descending)

        assert await pages_and_total(read, OWN_IN_ORDER[sort], wanted, descending) == expected, wanted
    await read.close()


async def test_a_count_of_the_callers_jobs_gives_the_same_totals_and_facets(big: Big, big_database: Database) -> None:
    read = Read.of(big_database, caller(big.member))
    for wanted in filters(big.ids):
        checked, looked_up = [
            await page_of(read, each, wanted, PageArguments(0), False)
            for each in (replace(IN_ORDER[JobSortField.CREATED_AT], list_to_count=None), OWN_JOBS)
        ]
        assert list((await totals(read, [looked_up])).values()) == list((await totals(read, [checked])).values()), (
            wanted
        )
        for facet in (facets.STATUSES, facets.TEAMS, facets.CLUSTERS, facets.TAGS, facets.LATEST_RUN_STATUSES):
            of_checked, of_looked_up = [await facet.counts(read, [page]) for page in (checked, looked_up)]
            assert of_looked_up[looked_up] == of_checked[checked], wanted
    await read.close()


@pytest.mark.parametrize("descending", [False, True])
async def test_a_merge_of_the_callers_teams_gives_the_same_rows(
    big: Big, big_database: Database, descending: bool
) -> None:
    read = Read.of(big_database, caller(big.member))

    expected = await pages_and_total(read, BY_GRANTS[JobSortField.CREATED_AT], JobFilter(), descending)
    found = await pages_and_total(read, OWN_TEAMS[JobSortField.CREATED_AT], JobFilter(), descending)

    assert found == expected
    assert found[0][0]
    await read.close()


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_all_access_paths_to_jobs_of_teams_give_the_same_rows(
    big: Big, big_database: Database, role: str
) -> None:
    read = Read.of(big_database, caller(getattr(big, role)))
    teams = await team.of_organizations(read, [read.caller.organization_id], NamedListArguments(PageArguments(5)))
    keys = [each.id for each in teams[read.caller.organization_id].nodes]
    for sort, descending in zip(JobSortField, cycle((False, True)), strict=False):
        paths = PATHS_OF_TEAMS if role == "admin" else (*PATHS_OF_TEAMS, TEAMS_BY_GRANTS)
        expected, *others = [await pages_of_teams(read, each[sort], keys, descending) for each in paths]
        (ids_of_first_team, _, _), *_ = expected[0]

        assert ids_of_first_team
        assert others == [expected] * len(others), sort

    await read.close()


async def pages_of_teams(read: Read, paged_list: PagedList[Job], keys: Sequence[str], descending: bool) -> list[Any]:
    """Return the first pages of all teams, those after a cursor, that of one team alone, and the totals."""
    page = PageArguments(7, descending=descending)
    first = await paged_list.pages(read, keys, page)
    page_after = replace(page, after=first[keys[0]].end_cursor)
    after = await paged_list.pages(read, keys, page_after)
    alone = await paged_list.pages(read, keys[:1], page_after)
    counts = await totals(read, list(first.values()))
    return [[_values(pages[key]) for key in pages] for pages in (first, after, alone)] + list(counts.values())
