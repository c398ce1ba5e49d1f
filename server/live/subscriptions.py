"""Subscriptions: each group of equal ones executes its operation once for each event, and shares the encoded result.

A group reads the feed by the same list as `Query.events`, with its filter and as its caller. So rights are checked at
delivery, and a group that begins after a cursor catches up by the same code that delivers new events.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Hashable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import Self

from aiohttp import web

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
from mainsheet.resolvers.subscription import Delivery, Source
from mainsheet.server.errors import Code, RateLimited, RequestError
from mainsheet.server.live.feed_watch import FeedWatch, Reader
from mainsheet.server.live.group import Group, Run, SendNow, Subscriber, send_later
from mainsheet.server.observe.log_fields import detached
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings

ALL = ""  # the key under which all subscriptions are counted
PAGE = 100
RETRY_SECONDS = 1
MOST_TRIES = 60
IDLE_SECONDS = 3600  # events are kept for days


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

    async def results(
        self, key: Hashable, caller: Caller, source: Source, run: Run, send_now: SendNow = send_later
    ) -> AsyncGenerator[bytes]:
        """Yield the encoded result for each event, unless `send_now` sends it.

        Raises `RateLimited` if there are too many subscriptions, `TooSlow`, `Stopping`, and what `run` raises.
        """
        if self._is_stopping:
            raise Stopping
        subscriber = Subscriber(send_now)
        with self._counted(caller), self._joined(subscriber, key, caller, source, run):
            async with aclosing(subscriber.results()) as results:
                async for each in results:
                    yield each

    @property
    def count(self) -> int:
        return self._open[ALL]

    @property
    def groups(self) -> int:
        return len(self._groups)

    @contextmanager
    def _counted(self, caller: Caller) -> Iterator[None]:
        limits = {
            caller.actor_id: (self._limits.caller, "You have"),
            caller.organization_id: (self._limits.organization, "Your organization has"),
            ALL: (self._limits.process, "This server has"),
        }
        for key, (most, who) in limits.items():
            if self._open[key] >= most:
                raise self._budget.refusal("subscriptions", f"{who} too many subscriptions.", caller)
        self._open.update(limits.keys())
        try:
            yield
        finally:
            self._open.subtract(limits.keys())
            self._open = +self._open  # without those that have none

    @contextmanager
    def _joined(
        self, subscriber: Subscriber, key: Hashable, caller: Caller, source: Source, run: Run
    ) -> Iterator[None]:
        """Add the subscriber to the group of equal ones. One that begins after a cursor has its own group."""
        group = self._groups.get(key) if source.after is None else None
        if group is None or group.task is None or group.task.done():
            group = Group(source, run, source.after)
            key = key if source.after is None else object()
            self._groups[key] = group
            # Each error has the request id of the first subscriber.
            kept = ("request_id", "actor", "organization")
            group.task = detached(self._deliver(key, group, caller), "subscription", *kept)
        group.members.add(subscriber)
        try:
            yield
        finally:
            group.members.discard(subscriber)
            if not group.members and group.task:
                self._forget(key, group)  # now, so that nobody joins a group that ends
                group.task.cancel()

    async def stop(self, _app: web.Application) -> None:
        """End all subscriptions, so that their clients subscribe again elsewhere."""
        self._is_stopping = True
        for group in list(self._groups.values()):
            group.end(Stopping())

    async def _deliver(self, key: Hashable, group: Group, caller: Caller) -> None:
        reader = self._watch.add(Reader(caller.organization_id, caller))
        try:
            group.cursor = group.cursor or await self._end(caller)
            while True:
                reader.grown.clear()
                await self._deliver_new(group, caller)
                if not group.members:  # all were too slow
                    return
                group.cursor = await self._growth(reader, group.cursor)
        except Exception as failure:  # noqa: BLE001 every subscriber gets it
            group.end(failure)
        finally:
            self._watch.remove(reader)
            self._forget(key, group)

    async def _growth(self, reader: Reader, cursor: str | None) -> str | None:
        """Wait until the feed has grown for the reader, or for `IDLE_SECONDS`. Return where to read on.

        Reading on then moves the cursor past events that the caller doesn't see, before retention deletes them.
        """
        reader.cursor = cursor
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await reader.grown.wait()
        read_to, reader.cursor = reader.cursor, None
        return read_to

    def _forget(self, key: Hashable, group: Group) -> None:
        if self._groups.get(key) is group:
            del self._groups[key]

    async def _deliver_new(self, group: Group, caller: Caller) -> None:
        """Deliver all events after the group's cursor. Try again, some times, what the client would have to repeat."""
        tries = MOST_TRIES
        has_more = True
        while has_more:
            try:
                has_more = await self._deliver_page(group, caller)
                tries = MOST_TRIES
            except (Unavailable, RateLimited, RequestError) as failure:
                tries -= 1
                if not tries or not _is_temporary(failure):
                    raise
                await asyncio.sleep(failure.retry_after if isinstance(failure, RateLimited) else RETRY_SECONDS)

    async def _deliver_page(self, group: Group, caller: Caller) -> bool:
        """Deliver the next events. Return whether there may be more."""
        page = await self._page(caller, group.source, PageArguments(size=PAGE, after=group.cursor))
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

    async def _page(self, caller: Caller, source: Source, arguments: PageArguments) -> Page[Event]:
        read = Read.of(self._database, caller)
        try:
            with self._budget.charged(caller):
                pages = await event_rows.of_organizations(
                    read, [caller.organization_id], EventListArguments(arguments, source.filter, of_jobs=source.of_jobs)
                )
        finally:
            await read.close()
        return pages[caller.organization_id]


def _is_temporary(failure: Exception) -> bool:
    return not isinstance(failure, RequestError) or failure.code is Code.TIMEOUT
