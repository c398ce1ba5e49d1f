"""Notices new events: the one reader of the feed in each process, which wakes the subscriptions of an organization.

It reads after each commit of this process, after each NOTIFY of PostgreSQL, and from time to time without either:
behind a pooler no notification arrives. So a lost one delays an event, and never loses it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

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
from mainsheet.resolvers.event import is_settled
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View
from mainsheet.server.process.background import errors_logged, finished

CHANNEL = "mainsheet_events"
UNSETTLED_SECONDS = 0.01  # doubled between reads while events wait for an older transaction
RETRY_SECONDS = 1

log = structlog.stdlib.get_logger("mainsheet.live")


class FeedWatch(Instrumentation):
    """Has an event for each organization with subscriptions, which is set when its feed has grown."""

    def __init__(self, database: Database, poll_seconds: float) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._look = asyncio.Event()
        self._is_stopping = False
        self._grown: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
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

    def add(self, organization_id: str, grown: asyncio.Event | None = None) -> asyncio.Event:
        """Return an event, by default a new one, that is set each time the organization's feed has grown."""
        grown = grown or asyncio.Event()
        self._grown[organization_id].add(grown)
        return grown

    def remove(self, organization_id: str, grown: asyncio.Event) -> None:
        self._grown[organization_id].discard(grown)
        if not self._grown[organization_id]:
            del self._grown[organization_id]
            self._positions.pop(organization_id, None)

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
        rows = await rows_alone(self._database, _ends, keys=list(self._grown)) if self._grown else []
        self._held = dict(self._still_held(rows))
        lag = max((time.monotonic() - since for _, since in self._held.values()), default=0.0)
        self._database.instrumentation.feed_read(lag)
        for row in rows:
            if row.settled is not None and row.settled > self._positions.get(row.organization_id, START):
                self._positions[row.organization_id] = row.settled
                for grown in self._grown.get(row.organization_id, ()):
                    grown.set()
        return bool(self._held)

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
    own = (
        select(Event.position).where(Event.organization_id == Organization.id).order_by(Event.position.desc()).limit(1)
    )
    return select(
        Organization.id.label("organization_id"),
        own.scalar_subquery().label("newest"),
        own.where(is_settled(view)).scalar_subquery().label("settled"),
    ).where(among(Organization.id, KEYS))
