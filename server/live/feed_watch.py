"""Notices new events: the one reader of the feed in each process, which wakes the subscriptions of an organization.

It reads after each commit of this process, after each NOTIFY of PostgreSQL, and from time to time without either:
behind a pooler no notification arrives. So a lost one delays an event, and never loses it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.util.concurrency import greenlet_spawn

from mainsheet.models.database import Database
from mainsheet.models.errors import UserError
from mainsheet.models.event import START, Event
from mainsheet.models.failures import failures_named, failures_passed_over
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.organization import Organization
from mainsheet.models.read_pool import discard, to_its_end
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event import newest_of_feed
from mainsheet.resolvers.event_audience import EVERYBODY, Audience, audience
from mainsheet.resolvers.event_feed import is_settled
from mainsheet.resolvers.permissions import sees_all_jobs
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View
from mainsheet.server.process.background import errors_logged, finished

CHANNEL = "mainsheet_events"
UNSETTLED_SECONDS = 0.01  # doubled between reads while events wait for an older transaction
RETRY_SECONDS = 1
FEW = 4  # readers that are woken without reading who sees the events
AUDIENCE_SECONDS = 1  # to read who sees the new events of all organizations; it delays the readers

log = structlog.stdlib.get_logger("mainsheet.live")


class Flag(Protocol):
    def set(self) -> None: ...

    def clear(self) -> None: ...

    def is_set(self) -> bool: ...


@dataclass(eq=False, slots=True)
class Reader:
    """A reader of an organization's feed. `grown` is set when there may be new events that its caller sees.

    Without a caller, it reads all events. It may read for more actors than its caller, who have the same role. While it
    waits, `cursor` is where it has read to; events that none of them sees move the cursor on.
    """

    organization_id: str
    caller: Caller | None = None
    grown: Flag = field(default_factory=asyncio.Event)
    cursor: str | None = None
    actor_ids: Collection[str] = ()

    @property
    def sees_all(self) -> bool:
        return self.caller is None or sees_all_jobs(self.caller)

    def is_among(self, audience: Audience) -> bool:
        """Return whether the reader may see one of the events that have this audience."""
        if self.caller is None or self.sees_all:
            return True
        return any(each in audience for each in self.actor_ids or (self.caller.actor_id,))

    def skip_to_end(self, before: str, end: tuple[str, str]) -> None:
        """Move on to the end of the feed: the events after the position `before` aren't for the caller."""
        if self.cursor is None or self.grown.is_set():
            self.grown.set()
            return
        position, _ = cursor.decode(Event.position, self.cursor)
        if str(position) < before:
            self.grown.set()
        elif str(position) < end[0]:
            self.cursor = cursor.encode(Event.position, *end)


class FeedWatch(Instrumentation):
    """Wakes the readers of the organizations' feeds. A reader whose caller sees none of the new events isn't woken."""

    def __init__(self, database: Database, poll_seconds: float) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._look = asyncio.Event()
        self._is_stopping = False
        self._readers: defaultdict[str, set[Reader]] = defaultdict(set)
        self._positions: dict[str, str] = {}
        self._held: dict[str, tuple[str | None, float]] = {}  # where feeds are held up, and since when

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the feed inside this context."""
        tasks = [asyncio.create_task(self._watch(), name="feed watch")]
        if not self._database.is_sqlite and self._database.keeps_session:
            tasks.append(asyncio.create_task(self._listen(), name="feed notifications"))
        try:
            yield
        finally:
            self._is_stopping = True
            self._look.set()
            for listening in tasks[1:]:
                listening.cancel()
            await finished(*tasks)

    def add(self, reader: Reader) -> Reader:
        """Set the reader's event each time the feed has grown for it, until the reader is removed."""
        self._readers[reader.organization_id].add(reader)
        return reader

    def remove(self, reader: Reader) -> None:
        readers = self._readers[reader.organization_id]
        readers.discard(reader)
        if not readers:
            del self._readers[reader.organization_id]
            self._positions.pop(reader.organization_id, None)

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:  # noqa: ARG002 as declared
        """Look when a mutation of this process has committed, or may have."""
        if outcome in {"done", "failed"}:
            self._look.set()

    async def _watch(self) -> None:
        unsettled = UNSETTLED_SECONDS
        while not self._is_stopping:
            try:
                with failures_named():
                    is_unsettled = await self._read()
                unsettled = min(unsettled * 2, self._poll_seconds) if is_unsettled else UNSETTLED_SECONDS
                wait = unsettled if is_unsettled else self._poll_seconds
            except Unavailable as failure:
                log.warning("feed unavailable", reason=str(failure))
                wait = RETRY_SECONDS
            except Exception:
                log.exception("feed watch failed")
                wait = RETRY_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()

    async def _read(self) -> bool:
        """Wake the organizations whose feeds have grown. Return whether there are events that aren't settled yet."""
        rows = await rows_alone(self._database, _ends, keys=list(self._readers)) if self._readers else []
        self._held = dict(self._still_held(rows))
        lag = max((time.monotonic() - since for _, since in self._held.values()), default=0.0)
        self._database.instrumentation.feed_read(lag)
        deadline = asyncio.get_running_loop().time() + AUDIENCE_SECONDS
        for row in rows:
            if row.settled is not None and row.settled > self._positions.get(row.organization_id, START):
                await self._wake(row.organization_id, (row.settled, row.settled_id), deadline)
        return bool(self._held)

    async def _wake(self, organization_id: str, end: tuple[str, str], deadline: float) -> None:
        """Wake the readers whose callers see one of the new events, or all of them if that isn't known."""
        before = self._positions.get(organization_id, START)
        found = await self._audience(organization_id, before, end[0], deadline)
        if organization_id in self._readers:
            self._positions[organization_id] = end[0]
        for each in self._readers.get(organization_id, ()):
            if each.is_among(found):
                each.grown.set()
            else:
                each.skip_to_end(before, end)

    async def _audience(self, organization_id: str, after: str, to: str, deadline: float) -> Audience:
        """Return who sees the new events: everybody if that isn't known in time, so that no reader waits.

        It isn't read for a feed that wasn't watched before, or for a few readers, which are woken without it.
        """
        limited = [each for each in self._readers.get(organization_id, ()) if not each.sees_all]
        if after == START or len(limited) <= FEW:
            return EVERYBODY
        try:
            async with asyncio.timeout_at(deadline):
                return await audience(self._database, organization_id, after, to)
        except Exception as failure:  # noqa: BLE001 whatever fails, the readers find out by reading
            log.warning("audience of events unknown", organization=organization_id, reason=repr(failure))
            return EVERYBODY

    def _still_held(self, rows: list[Any]) -> Iterator[tuple[str, tuple[str | None, float]]]:
        """Yield for each feed with events that aren't settled its settled end, and since when it is there."""
        for row in rows:
            if row.newest != row.settled:
                now = (row.settled, time.monotonic())
                before = self._held.get(row.organization_id, now)
                yield row.organization_id, before if before[0] == row.settled else now

    async def _listen(self) -> None:
        """Keep a connection that receives notifications. Check it now and then: the driver doesn't notice its loss."""
        while True:
            with errors_logged("feed notifications"), failures_passed_over():
                held = await self._database.reads.raw_connection()
                try:
                    driver: Any = held.driver_connection
                    await driver.add_listener(CHANNEL, lambda *_: self._look.set())
                    self._look.set()  # for what was committed before
                    while True:
                        await asyncio.sleep(self._poll_seconds)
                        await driver.execute("SELECT 1")
                finally:
                    await to_its_end(greenlet_spawn(discard, held))
            await asyncio.sleep(RETRY_SECONDS)


def _ends(view: View) -> Statement:
    """Select the newest position of each organization, and the newest one that is settled."""
    newest, settled = newest_of_feed(Event.position), is_settled(view)
    return select(
        Organization.id.label("organization_id"),
        newest.scalar_subquery().label("newest"),
        newest.where(settled).scalar_subquery().label("settled"),
        newest_of_feed(Event.id).where(settled).scalar_subquery().label("settled_id"),
    ).where(among(Organization.id, KEYS))
