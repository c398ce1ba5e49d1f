"""Jobs are read in several ways, each the best for somebody: all show the same pages and totals, whatever is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.job import Job, JobStatus
from mainsheet.resolvers.job_filter import JobFilter, parameters
from mainsheet.resolvers.job_list import nearby
from mainsheet.resolvers.job_list.lists import BY_GRANTS, FAR_PAGE, IN_ORDER, NEARBY_THEN_INDEX, JobSortField
from mainsheet.resolvers.sql.pagination.listing import Listing, Page, Paging, totals
from mainsheet.resolvers.sql.snapshot import Read
from testbed.world import caller
from tests.scale.conftest import Big

SINCE = datetime(2026, 9, 1, tzinfo=UTC)
PAGES = (Paging(20), Paging(7, 40), Paging(20, backwards=True), Paging(100, 4000), Paging(0))


def filters(ids: Mapping[str, str]) -> Iterator[JobFilter]:
    yield JobFilter()
    yield JobFilter(search="orders")
    yield JobFilter(search="warehouse", has_schedule=True)
    yield JobFilter(search="or", status=(JobStatus.PAUSED,))
    yield JobFilter(search="zq")
    yield JobFilter(teams=(ids["team"], ids["other"]))
    yield JobFilter(clusters=(ids["cluster"],), has_draft=False)
    yield JobFilter(has_draft=True)
    yield JobFilter(has_schedule=False, updated_since=SINCE)
    yield JobFilter(created_by=(ids["author"],))
    yield JobFilter(updated_since=SINCE)
    yield JobFilter(teams=())


async def told(read: Read, listing: Listing[Job], wanted: JobFilter, descending: bool) -> list[Any]:
    """Ask for pages here and there, one of them behind a cursor, and for the total."""
    first = await shown(read, listing, wanted, PAGES[0], descending)
    pages = [await shown(read, listing, wanted, each, descending) for each in PAGES]
    behind = [await shown(read, listing, wanted, Paging(10, after=first.end_cursor), descending)]
    return [_said(each) for each in pages + behind] + list((await totals(read, [first])).values())


async def shown(read: Read, listing: Listing[Job], wanted: JobFilter, paging: Paging, descending: bool) -> Page[Job]:
    key = read.caller.organization_id
    return (await listing.pages(read, [key], paging, descending=descending, parameters=parameters(wanted, key)))[key]


def _said(page: Page[Job]) -> tuple[list[str], bool, str | None]:
    return [row.id for row in page.nodes], page.has_more, page.end_cursor


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_each_way_shows_the_same(
    big: Big, big_database: Database, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A glance is enough for some of this, at 50 jobs for nearly nothing."""
    read = Read.of(big_database, caller(getattr(big, role)))
    # Copies, whose statements aren't prepared yet.
    short = {sort: replace(listing) for sort, listing in NEARBY_THEN_INDEX.items()}
    for wanted, sort, descending in zip(filters(big.ids), cycle(JobSortField), cycle((False, True)), strict=False):
        expected = await told(read, BY_GRANTS[sort], wanted, descending)

        for way in (IN_ORDER, NEARBY_THEN_INDEX, FAR_PAGE):
            assert await told(read, way[sort], wanted, descending) == expected, (wanted, sort)
        with monkeypatch.context() as patched:
            patched.setattr(nearby, "GLANCE", 50)
            assert await told(read, short[sort], wanted, descending) == expected, (wanted, sort)

    await read.close()
