"""Filters of the feed: a page reads few other events, and has the same events as the whole feed that is checked."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from mainsheet.resolvers.event import EventListArguments, of_organizations
from mainsheet.resolvers.event_feed import FEEDS, IN_ORDER, MERGED, TEAMS
from mainsheet.resolvers.event_filter import EventFilter, parameters
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, totals
from mainsheet.resolvers.sql.snapshot import Read
from testbed.ask import Ask
from testbed.world import caller
from tests.scale.conftest import Big, few_jobs
from tests.scale.test_plans import ROLES, plans, refuse_all_of_the_tenant, refuse_walks

RARE = EventAction.WEBHOOK_TESTED
SOME = (EventAction.DRAFT_PUBLISHED, EventAction.JOB_DELETED, RARE, EventAction.DRAFT_PUBLISHED)
PAGES = (
    PageArguments(20),
    PageArguments(20, backwards=True),
    PageArguments(7, descending=True),
    PageArguments(0),
)
LOOKED_UP = (
    (f"actions: [{RARE}]", "ix_event_action"),
    ('actorIds: ["MB1", "MB2"]', "ix_event_actor"),
    ('subjectIds: ["JB1", "JB2"]', "ix_event_subject"),
    ('jobIds: ["JB1", "JB2"]', "ix_event_job"),
)


async def filters(big: Big, database: Database) -> Sequence[EventFilter]:
    """Return filters that match none, few and many events, in the whole feed and in parts of it."""
    times = select(Event.occurred_at).where(Event.organization_id == big.admin.organization_id).order_by(Event.number)
    async with database.reads.connect() as connection:
        found = sorted((await connection.scalars(times)).all())
    first, middle, last = found[0], found[len(found) // 2], found[-1]
    job, team, author = big.ids["job"], big.ids["team"], big.ids["author"]
    return [
        EventFilter(),
        EventFilter(actions=SOME),
        EventFilter(actions=tuple(EventAction), to_position="0001"),
        EventFilter(actions=()),
        EventFilter(subject_ids=(job, job, "JB1"), actions=SOME),
        EventFilter(job_ids=(job, "JB1"), team_ids=(team,)),
        EventFilter(actor_ids=(author,), since=middle),
        EventFilter(team_ids=(team, big.ids["other"])),
        EventFilter(team_ids=(team,), actions=SOME, until=middle),
        EventFilter(team_ids=("TM1",), since=first),
        EventFilter(team_ids=()),
        EventFilter(since=middle),
        EventFilter(until=middle),
        EventFilter(since=middle, until=last, to_position="0002"),
        EventFilter(since=middle, until=middle + timedelta(hours=30)),
        EventFilter(since=last, until=first),
        EventFilter(since=datetime(1, 1, 1, tzinfo=UTC), until=first),
        EventFilter(since=datetime(9000, 1, 1, tzinfo=UTC)),
    ]


@few_jobs
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("of_jobs", [False, True])
async def test_filtered_pages_are_those_of_the_whole_feed(
    big: Big, big_database: Database, role: str, of_jobs: bool, scan_limit: Callable[[int], None]
) -> None:
    scan_limit(50)  # so that the index of teams is read, too
    read = Read.of(big_database, caller(getattr(big, role)))
    for wanted in await filters(big, big_database):
        for each in PAGES:
            page = await whole_page(read, of_jobs, each, wanted)
            found = await filtered_page(read, of_jobs, each, wanted)

            assert shown(found) == shown(page), (wanted, each)
            assert list((await totals(read, [found])).values()) == list((await totals(read, [page])).values()), wanted
            end = page.start_cursor if each.backwards else page.end_cursor
            for later in following(each, end):
                expected = await whole_page(read, of_jobs, later, wanted)
                assert shown(await filtered_page(read, of_jobs, later, wanted)) == shown(expected), (wanted, later)
    await read.close()


def following(page: PageArguments, end: str | None) -> Sequence[PageArguments]:
    """Return the arguments of a later page, and of those before its start."""
    if end is None:
        return []
    if page.backwards:
        return [PageArguments(9, before=end, backwards=True)]
    return [
        PageArguments(9, after=end, descending=page.descending),
        PageArguments(9, before=end, backwards=True, descending=page.descending),
    ]


async def whole_page(read: Read, of_jobs: bool, page: PageArguments, wanted: EventFilter) -> Page[Event]:
    """Check each event of the feed, in its order."""
    key = read.caller.organization_id
    return (await FEEDS[of_jobs, IN_ORDER].pages(read, [key], page, parameters=parameters(wanted)))[key]


async def filtered_page(read: Read, of_jobs: bool, page: PageArguments, wanted: EventFilter) -> Page[Event]:
    key = read.caller.organization_id
    arguments = EventListArguments(page, wanted, of_jobs)
    return (await of_organizations(read, [key], arguments))[key]


def shown(page: Page[Event]) -> tuple[Sequence[str], bool, bool]:
    return [row.id for row in page.nodes], page.has_next_page, page.has_previous_page


def test_every_access_path_is_chosen_by_a_condition() -> None:
    assert {path for _, path in FEEDS} == {IN_ORDER, TEAMS, *MERGED}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("arguments", ["first: 20", "last: 20"])
@pytest.mark.parametrize(("wanted", "index"), LOOKED_UP, ids=[index for _, index in LOOKED_UP])
async def test_events_of_named_values_are_looked_up(
    big: Big, big_database: Database, ask_big: Ask, role: str, arguments: str, wanted: str, index: str
) -> None:
    await ask_big(getattr(big, role), f"{{ events({arguments}, filter: {{{wanted}}}) {{ nodes {{ id }} }} }}")

    found = {name: plan for name, plan in (await plans(big, big_database, ask_big)).items() if "wanted" in name}
    refuse_all_of_the_tenant(found, role)
    assert any(index in plan for plan in found.values())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("arguments", ["first: 20", "last: 20"])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ('teamIds: ["TM1"]', "ix_event_search_teams"),
        ('since: "2026-01-01T00:00:00Z"', "ix_event_search_day"),
        ('until: "2026-01-01T00:00:00Z"', "ix_event_search_day"),
    ],
)
async def test_postgresql_has_indexes_of_teams_and_days(
    big: Big, big_database: Database, ask_big: Ask, role: str, arguments: str, wanted: str, index: str
) -> None:
    """SQLite reads the feed in order: it can't index the items of an array, and Alembic no expressions of SQLite."""
    await ask_big(getattr(big, role), f"{{ events({arguments}, filter: {{{wanted}}}) {{ nodes {{ id }} }} }}")

    found = await plans(big, big_database, ask_big)
    refuse_walks(found, wanted)
    assert any(index in plan for plan in found.values()) != big_database.is_sqlite
    assert any("ix_event_organization" in plan for plan in found.values())
