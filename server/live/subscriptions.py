"""Subscriptions: each group of equal ones executes its operation once for each event, and shares the encoded result.

A group reads the feed by the same list as `Query.events`, with its filter and as its caller. So rights are checked at
delivery, and a group that begins after a cursor catches up by the same code that delivers new events.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Self

from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers import event as event_rows
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event import EventListArguments
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.subscription import Delivery
from mainsheet.server.errors import Code, RateLimited, RequestError
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.group import Group, Subscriber, Subscription, send_later
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings

ALL = ""  # the key under which all subscriptions are counted
PAGE = 100
RETRY_SECONDS = 1
MOST_TRIES = 60
ENDED_PER_SECOND = 500  # when the process stops
ENDED_AT_ONCE = 25
IDLE_SECONDS = 3600  # events are kept for days

Leave = Callable[[], None]


class Stopping(Exception):
    """The server is stopping. A subscriber can resume at another one."""


@dataclass(frozen=True)
class SubscriptionLimits:
    """The most subscriptions of this process, of an organization in it, and of a caller."""

    process: int
    organization: int
    caller: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.max_subscriptions,
            settings.max_subscriptions_per_organization,
            settings.max_subscriptions_per_caller,
        )


class Subscriptions:
    def __init__(self, database: Database, watch: FeedWatch, budget: Budget, limits: SubscriptionLimits) -> None:
        self._database = database
        self._watch = watch
        self._budget = budget
        self._limits = limits
        self._open: Counter[str] = Counter()
        self._groups: dict[Hashable, Group] = {}
        self._is_stopping = False

    async def results(self, subscription: Subscription) -> AsyncGenerator[bytes]:
        """Yield the encoded result for each event. Raises as `join`, `TooSlow`, `Stopping`, and what `run` raises."""
        added = asyncio.Event()
        subscriber = Subscriber(send_later, added.set)
        leave = self.join(subscription, subscriber)
        try:
            while True:
                await added.wait()
                added.clear()
                async with aclosing(subscriber.waiting()) as waiting:
                    async for each in waiting:
                        yield each
        finally:
            leave()

    def join(self, subscription: Subscription, subscriber: Subscriber) -> Leave:
        """Deliver the results to the subscriber, until the returned function is called.

        A subscription that begins after a cursor has its own group. Raises `Stopping`, or `RateLimited` if there are
        too many subscriptions.
        """
        if self._is_stopping:
            raise Stopping
        self._count(subscription.caller)
        group = self._groups.get(subscription.key) if subscription.source.after is None else None
        if group is None:
            group = self._opened(subscription)
        group.members.add(subscriber)
        return partial(self._leave, group, subscriber)

    @property
    def count(self) -> int:
        return self._open[ALL]

    @property
    def groups(self) -> int:
        return len(self._groups)

    def _count(self, caller: Caller) -> None:
        limits = {
            caller.actor_id: (self._limits.caller, "You have"),
            caller.organization_id: (self._limits.organization, "Your organization has"),
            ALL: (self._limits.process, "This server has"),
        }
        for key, (most, who) in limits.items():
            if self._open[key] >= most:
                raise self._budget.refusal("subscriptions", f"{who} too many subscriptions.", caller)
        self._open.update(limits.keys())

    def _opened(self, subscription: Subscription) -> Group:
        key = subscription.key if subscription.source.after is None else object()
        group = self._groups[key] = Group(subscription, key, self._deliver)
        self._watch.add(group.reader)
        group.set()
        return group

    def _leave(self, group: Group, subscriber: Subscriber) -> None:
        caller = group.caller
        for key in (caller.actor_id, caller.organization_id, ALL):
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
        group.members.discard(subscriber)
        if not group.members:
            self._forget(group)
            group.close()

    def _forget(self, group: Group) -> None:
        """Let nobody join the group any more: it ends."""
        if self._groups.get(group.key) is group:
            del self._groups[group.key]
            self._watch.remove(group.reader)

    async def end_all(self, seconds: float) -> None:
        """End all subscriptions within so many seconds, so that their clients subscribe again elsewhere.

        They end one after the other: otherwise all clients would connect to the next process at the same moment.
        """
        self._is_stopping = True
        rate = max(ENDED_PER_SECOND, self.count / seconds)
        members = [(group, each) for group in self._groups.values() for each in group.members]
        for number, (group, each) in enumerate(members, 1):
            if each in group.members:
                each.deliver(Stopping())
            if number % ENDED_AT_ONCE == 0:
                await _pause(ENDED_AT_ONCE / rate)
            if not self._groups:
                return

    async def _deliver(self, group: Group) -> None:
        """Deliver all events, then let the group wait for more.

        After `IDLE_SECONDS` it reads on anyway, which moves the cursor past events that the caller doesn't see, before
        retention deletes them.
        """
        try:
            group.cursor = group.reader.cursor or group.cursor or await self._end(group.caller)
            group.reader.cursor = None
            while group.is_set() and group.members:
                group.clear()
                await self._deliver_new(group)
            if group.members:
                group.reader.cursor = group.cursor
                group.idle(IDLE_SECONDS)
            else:  # all were too slow
                self._forget(group)
        except Exception as failure:  # noqa: BLE001 every subscriber gets it
            self._forget(group)
            group.end(failure)

    async def _deliver_new(self, group: Group) -> None:
        """Deliver all events after the group's cursor. Try again, some times, what the client would have to repeat."""
        tries = MOST_TRIES
        has_more = True
        while has_more:
            try:
                has_more = await self._deliver_page(group)
                tries = MOST_TRIES
            except (Unavailable, RateLimited, RequestError) as failure:
                tries -= 1
                if not tries or not _is_temporary(failure):
                    raise
                await asyncio.sleep(failure.retry_after if isinstance(failure, RateLimited) else RETRY_SECONDS)

    async def _deliver_page(self, group: Group) -> bool:
        """Deliver the next events. Return whether there may be more."""
        page = await self._page(group)
        for each in page.nodes:
            if not group.members:
                return False
            await group.deliver(await group.run(Delivery(each.id)))
            group.cursor = cursor.encode(Event.position, each.position, each.id)
        group.cursor = page.end_cursor
        return page.has_next_page

    async def _end(self, caller: Caller) -> str:
        read = Read.of(self._database, caller)
        try:
            with self._budget.charged(caller):
                return await event_rows.end_of(read, [caller.organization_id])
        finally:
            await read.close()

    async def _page(self, group: Group) -> Page[Event]:
        """Read the events after the group's cursor. The first cursor is a client's and may be of another database."""
        caller, source = group.caller, group.source
        arguments = EventListArguments(PageArguments(size=PAGE, after=group.cursor), source.filter, source.of_jobs)
        read = Read.of(self._database, caller)
        try:
            with self._budget.charged(caller):
                if group.has_read:
                    return await event_rows.after_recent(read, caller.organization_id, arguments)
                pages = await event_rows.of_organizations(read, [caller.organization_id], arguments)
        finally:
            await read.close()
        group.has_read = True
        return pages[caller.organization_id]


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _is_temporary(failure: Exception) -> bool:
    return not isinstance(failure, RequestError) or failure.code is Code.TIMEOUT
