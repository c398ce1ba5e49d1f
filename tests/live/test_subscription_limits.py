"""Limits of subscriptions, and what their reading of events costs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation, Refusal
from mainsheet.models.member import Member
from mainsheet.resolvers.event_filter import EventFilter
from mainsheet.resolvers.subscription import Source
from mainsheet.server.errors import RateLimited
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.group import Subscription
from mainsheet.server.live.subscriptions import SubscriptionLimits, Subscriptions
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings
from testbed.ask import Ask
from testbed.world import World, caller
from tests.live.conftest import Start
from tests.live.test_subscriptions import end, rename

MANY = 40  # more than there are connections
EVENTS = """
subscription ($ids: [ID!], $after: String) { events(filter: {subjectIds: $ids}, after: $after) { id } }
"""


class Limits(Instrumentation):
    """Records refusals, and counts waits for a connection."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self.waits = 0

    def refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def waited(self, seconds: float) -> None:
        self.waits += 1


class Server:
    """Delivers the events after a cursor. Its clock stands still, so that no budget is refilled."""

    def __init__(self, database: Database, after: str, **chosen: Any) -> None:
        settings = Settings(**chosen)
        self.after = after
        self.budget = Budget(settings, database, clock=lambda: 0)
        watch = FeedWatch(database, poll_seconds=1)
        self.subscriptions = Subscriptions(database, watch, self.budget, SubscriptionLimits.of(settings))

    def stream(self, member: Member) -> AsyncGenerator[bytes]:
        source = Source(EventFilter(), self.after)
        return self.subscriptions.results(Subscription("key", caller(member), source, delivered))


async def delivered(execution: Execution) -> bytes:
    return execution.event.id.encode()


@pytest.fixture
async def after(ask: Ask, world: World, job_id: str) -> str:
    """A cursor with an event after it."""
    cursor = await end(ask, world)
    await rename(ask, world, job_id, "renamed")
    return cursor


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_a_caller_and_an_organization_have_limits(
    database: Database, world: World, after: str, stack: AsyncExitStack
) -> None:
    server = Server(database, after, max_subscriptions_per_organization=2, max_subscriptions_per_caller=1)
    viewing, administering = [
        await stack.enter_async_context(aclosing(server.stream(each))) for each in (world.viewer, world.admin)
    ]
    for each in (viewing, administering):
        await anext(each)

    with pytest.raises(RateLimited, match="You have too many subscriptions"):
        await anext(server.stream(world.viewer))
    with pytest.raises(RateLimited, match="Your organization has too many subscriptions"):
        await anext(server.stream(world.contributor))
    await viewing.aclose()
    again = await stack.enter_async_context(aclosing(server.stream(world.viewer)))
    assert await anext(again)


async def test_reading_events_is_charged_to_the_caller(
    database: Database, world: World, after: str, stack: AsyncExitStack
) -> None:
    server = Server(database, after)
    account = server.budget.accounts(caller(world.admin)).seconds
    assert account is not None
    full = account.left()

    await anext(await stack.enter_async_context(aclosing(server.stream(world.admin))))

    assert account.left() < full


async def test_different_subscriptions_of_a_caller_read_in_its_turn(
    database: Database, world: World, after: str, stack: AsyncExitStack
) -> None:
    server = Server(database, after, max_operations_per_caller=1)
    streams = [await stack.enter_async_context(aclosing(server.stream(world.viewer))) for _ in range(MANY)]
    limits = Limits()
    database.instrumentation.add(limits)

    await asyncio.gather(*map(anext, streams))

    assert limits.waits == 0


async def test_different_subscriptions_of_a_caller_get_an_event_without_being_refused(
    start: Start, world: World, database: Database, job_id: str, after: str
) -> None:
    live = await start(max_operations_per_caller=1, max_queued_per_caller=1)
    limits = Limits()
    database.instrumentation.add(limits)
    async with live.socket(world.viewer) as socket:
        for number in range(MANY):
            await socket.subscribe(f"{number}", EVENTS, ids=[job_id, f"JB{number}"], after=after)

        got = [await socket.receive() for _ in range(MANY)]

    assert {each["id"] for each in got if each["type"] == "next"} == {f"{number}" for number in range(MANY)}
    assert limits.refusals == []
