"""Events with some actions: a page reads the first ones of each action, and has the same events as the whole feed."""

from collections.abc import Mapping

import pytest

from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from mainsheet.resolvers.event import FEEDS
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import PagedList, totals
from mainsheet.resolvers.sql.snapshot import Read
from testbed.ask import Ask
from testbed.world import caller
from tests.scale.conftest import Big
from tests.scale.test_plans import ROLES, plans, refuse_all_of_the_tenant

RARE = EventAction.WEBHOOK_TESTED
FILTERS: tuple[Mapping[str, object], ...] = (
    {"actions": (EventAction.VERSION_ACTIVATED,)},
    {"actions": (EventAction.DRAFT_PUBLISHED, EventAction.JOB_DELETED, RARE, EventAction.DRAFT_PUBLISHED)},
    {"actions": tuple(EventAction), "to_position": "0001"},
    {"actions": tuple(EventAction)},
    {"actions": ()},
)
PAGES = (PageArguments(20), PageArguments(20, backwards=True), PageArguments(7, 30, descending=True), PageArguments(0))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("of_jobs", [False, True])
async def test_both_feeds_give_the_same_events(big: Big, big_database: Database, role: str, of_jobs: bool) -> None:
    read = Read.of(big_database, caller(getattr(big, role)))
    for wanted in FILTERS:
        expected, found = [await pages(read, FEEDS[of_jobs, each], wanted) for each in (False, True)]

        assert found == expected, wanted
    await read.close()


async def pages(read: Read, feed: PagedList[Event], wanted: Mapping[str, object]) -> list[object]:
    """Return the ids of several pages, each with the page after its end, and the total."""
    key, answer = read.caller.organization_id, list[object]()
    for each in PAGES:
        page = (await feed.pages(read, [key], each, parameters=wanted))[key]
        at = PageArguments(9, after=page.end_cursor, descending=each.descending)
        following = (await feed.pages(read, [key], at, parameters=wanted))[key]
        answer += [([row.id for row in shown.nodes], shown.has_more) for shown in (page, following)]
        answer += (await totals(read, [page])).values()
    return answer


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("arguments", ["first: 20", "last: 20"])
async def test_events_of_a_rare_action_are_looked_up(
    big: Big, big_database: Database, ask_big: Ask, role: str, arguments: str
) -> None:
    await ask_big(getattr(big, role), f"{{ events({arguments}, filter: {{actions: [{RARE}]}}) {{ nodes {{ id }} }} }}")

    found = await plans(big, big_database, ask_big)
    refuse_all_of_the_tenant({statement: plan for statement, plan in found.items() if "action" in statement}, role)
    assert any("ix_event_action" in plan for plan in found.values())
