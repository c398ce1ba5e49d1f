"""Subscriptions: equal ones form a group, whose task reads the feed and delivers the results (decisions 27 and 37)."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Self

from mainsheet.models.database import Database
from mainsheet.resolvers.caller import Caller
from mainsheet.server.live.deliveries import Deliveries
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.group import Group, Subscriber, Subscription, send_later
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings

ALL = ""  # the key under which all subscriptions are counted
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
        self._deliveries = Deliveries(database, budget, self._separate)
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
        caller = subscription.caller
        self._count(caller)
        key = subscription.key if subscription.source.after is None else object()
        group = self._groups.get(key) or self._opened(Group(subscription, key, self._deliver))
        group.add(subscriber, caller)
        return partial(self._leave, subscriber, caller)

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

    def _opened(self, group: Group) -> Group:
        self._groups[group.key] = group
        self._watch.add(group.reader)
        group.set()
        return group

    def _separate(self, group: Group, actor_ids: Collection[str]) -> None:
        """Let the actors' subscribers that haven't got the group's present event begin with it in another group."""
        moving = [(each, group.callers[each.actor_id]) for each in group.pending if each.actor_id in actor_ids]
        if not moving:
            return
        key = object()
        other = Group(Subscription(key, moving[0][1], group.source, group.run), key, self._deliver)
        other.cursor, other.has_read, other.extent = group.cursor, group.has_read, group.extent
        for subscriber, caller in moving:
            group.remove(subscriber)
            other.add(subscriber, caller)
        self._opened(other)

    def _leave(self, subscriber: Subscriber, caller: Caller) -> None:
        for key in (caller.actor_id, caller.organization_id, ALL):
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
        group = subscriber.group
        if group:
            group.remove(subscriber)
            if group.is_empty:
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
        subscribers = [each for group in self._groups.values() for each in group]
        for number, each in enumerate(subscribers, 1):
            if each.group:
                each.deliver(Stopping())
            if number % ENDED_AT_ONCE == 0:
                await _pause(ENDED_AT_ONCE / rate)
            if not self._groups:
                return

    async def _deliver(self, group: Group) -> None:
        """Deliver all events, then let the group wait for more.

        After `IDLE_SECONDS` it reads on anyway, which moves the cursor past events that the callers don't see, before
        retention deletes them.
        """
        try:
            group.cursor = group.reader.cursor or group.cursor or await self._deliveries.end_of_feed(group)
            group.reader.cursor = None
            while group.is_set() and not group.is_empty:
                group.clear()
                await self._deliveries.deliver_new(group)
            if not group.is_empty:
                group.reader.cursor = group.cursor
                group.idle(IDLE_SECONDS)
            else:  # all were too slow
                self._forget(group)
        except Exception as failure:  # noqa: BLE001 every subscriber gets it
            self._forget(group)
            group.end(failure)


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)
