from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    String,
    bindparam,
    delete,
    event,
    func,
    inspect,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from mainsheet.models.base import Base
from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.event import BIG, Event
from mainsheet.models.organization import Organization
from mainsheet.models.unavailable import ReadOnly
from mainsheet.models.wal_timeline import TIMELINE_OF

BATCH = 1_000
MOST_READ = 10_000  # events that are searched for a batch
# The newest events have the highest transactions, but not always in the order of their numbers.
BEGIN_EPOCH = """UPDATE feed SET epoch = epoch + 1
  WHERE (SELECT max(transaction_id) FROM (
    SELECT epoch, transaction_id FROM event ORDER BY number DESC LIMIT 1000) AS newest WHERE newest.epoch = feed.epoch
  ) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""

# A promoted standby has a new timeline and may lack the newest events; so has a database after a recovery to a point in
# time. The lock waits for writers that have read the old epoch.
TIMELINE = f"SELECT {TIMELINE_OF.format(position='pg_current_wal_lsn()')}"
CHANGED = "SELECT timeline FROM feed WHERE timeline IS DISTINCT FROM $1"
LOCK = "LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE"
FOLLOW = """UPDATE feed SET epoch = epoch + (timeline IS NOT NULL)::int, timeline = $1
  WHERE timeline IS DISTINCT FROM $1 RETURNING epoch"""
# Some hosted databases have no functions for timelines, or don't let us call them.
NO_TIMELINES = {"0A000", "42501", "42883"}  # feature_not_supported, insufficient_privilege, undefined_function

LAST = bindparam("last", type_=String())
EXPIRED = (
    update(Organization)
    .where(Organization.id == bindparam("own_id"), Organization.events_expired_to < LAST)
    .values(events_expired_to=LAST)
)

log = structlog.stdlib.get_logger("mainsheet.feed")


class CursorExpired(BadInput):
    """Events after the cursor were deleted, or the database was restored to a state before the cursor."""

    def __init__(self, oldest_cursor: str) -> None:
        super().__init__("This cursor is expired: events after it are gone. Read on from `oldestCursor`.")
        self.oldest_cursor = oldest_cursor


class Feed(Base):
    """The state of all feeds, in one row.

    `epoch` grows when the database is restored or its standby promoted, because the new cluster's transactions may have
    smaller numbers than those of events that readers saw before. `timeline` is PostgreSQL's, once a server has seen it.
    """

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    timeline: Mapped[int | None]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


async def begin_epoch(database: Database) -> bool:
    """Begin an epoch if the newest events have transactions that this cluster hasn't reached. Return whether it did."""
    if database.is_sqlite:
        return False
    async with database.writes.begin() as connection:
        return (await connection.execute(text(BEGIN_EPOCH))).rowcount > 0


def follow_timelines(database: Database) -> None:
    """Let each new connection for writes begin an epoch if the database has a new timeline, before it writes.

    After a failover, all connections are new. Only a pooler between us and PostgreSQL may keep old ones. A connection
    to a standby is refused with `ReadOnly`: the pool would keep it after the promotion, unchecked.
    """
    if database.is_sqlite:
        return

    @event.listens_for(database.writes.sync_engine, "connect")
    def follow(driver: Any, _entry: ConnectionPoolEntry) -> None:
        try:
            driver.run_async(_follow)
        except BaseException:
            driver.terminate()  # the pool wouldn't close it
            raise


async def follow_timeline(connection: AsyncConnection) -> None:
    """Begin an epoch if the database has a new timeline. No transaction may have begun on the connection."""
    if connection.dialect.name != "sqlite":
        pooled = await connection.get_raw_connection()
        await _follow(pooled.driver_connection)


async def _follow(connection: Any) -> None:
    async with connection.transaction():  # a pooler then keeps to one session
        if await connection.fetchval("SHOW transaction_read_only") == "on":
            raise ReadOnly
        timeline = await _timeline(connection)
        if timeline is None:
            return
        before = await connection.fetchrow(CHANGED, timeline)
        if before is None:
            return
        await connection.execute(LOCK)
        epoch = await connection.fetchval(FOLLOW, timeline)
    if before["timeline"] is not None and epoch is not None:  # another process may have been first
        log.warning("a new epoch of the feed begins: the database has a new timeline", epoch=epoch, timeline=timeline)


async def _timeline(connection: Any) -> int | None:
    """Return PostgreSQL's timeline, or None if it can't be read, after which the transaction has failed."""
    try:
        timeline: int = await connection.fetchval(TIMELINE)
    except Exception as error:
        if getattr(error, "sqlstate", None) not in NO_TIMELINES:
            raise
        _log_unknown_timeline(str(error))
        return None
    return timeline


@cache
def _log_unknown_timeline(reason: str) -> None:
    """Log once in each process that readers of the feed may miss events after a failover."""
    log.warning("the timeline of the database can't be read: failovers begin no epoch of the feed", reason=reason)


async def begin_epoch_after_restore(database: Database) -> None:
    """Begin an epoch: in another cluster, events that the restore lost may have higher transactions than new ones.

    A database of version 0.1.0 has no feed.
    """
    async with database.writes.begin() as connection:
        if await connection.run_sync(lambda sync: inspect(sync).has_table(Feed.__tablename__)):
            await connection.execute(update(Feed).values(epoch=Feed.epoch + 1))


async def expire(database: Database, kept: timedelta) -> int:
    """Delete events that are older than `kept`, and return their number. Cursors before them are expired then.

    Events are nearly in the order of time. Those of a clock that ran ahead are passed over, and deleted later. Up to
    `MOST_READ` expired ones after them may be passed over, too.
    """
    deleted, after = 0, 0
    while True:
        async with database.writes.begin() as connection:
            before = await read_clock(connection) - kept
            rows = await _expire_batch(connection, before, after)
            following = rows[-1].number if rows else await connection.scalar(_slice_with_expired(before, after))
        if following is None:
            return deleted
        deleted, after = deleted + len(rows), following


async def _expire_batch(connection: AsyncConnection, before: datetime, after: int) -> Sequence[Row[int, str, str]]:
    """Delete the first expired ones of the next events after a number, and return them."""
    expired = select(Event.number, Event.organization_id, Event.position).where(Event.occurred_at < before)
    following = expired.where(Event.number > after, Event.number <= _last_to_read(after))
    rows = (await connection.execute(following.order_by(Event.number).limit(BATCH))).all()
    if rows:
        await connection.execute(delete(Event).where(Event.number.in_([row.number for row in rows])))
        await connection.execute(EXPIRED, _expired(rows))
    return rows


def _last_to_read(after: int) -> ColumnElement[int]:
    newest = select(func.max(Event.number)).scalar_subquery().correlate(None)
    following = select(Event.number).where(Event.number > after).order_by(Event.number)
    return func.coalesce(following.offset(MOST_READ - 1).limit(1).scalar_subquery().correlate(None), newest)


def _slice_with_expired(before: datetime, after: int) -> Select[int]:
    """Select where the next slice of `MOST_READ` numbers begins whose last event is expired, or no row.

    It looks at one event of each `MOST_READ` numbers, by index: to read a large feed to its end would cost too much.
    """
    samples = select(_first_from(literal(after + MOST_READ + 1, BIG)).label("number")).cte("samples", recursive=True)
    following = select(_first_from(samples.c.number + MOST_READ)).where(samples.c.number.is_not(None))
    samples = samples.union_all(following)
    expired = select(samples.c.number - MOST_READ).join(Event, Event.number == samples.c.number)
    return expired.where(Event.occurred_at < before).order_by(samples.c.number).limit(1)


def _first_from(number: ColumnElement[int]) -> ScalarSelect[int]:
    return select(func.min(Event.number)).where(Event.number >= number).scalar_subquery()


def _expired(rows: Sequence[Row[int, str, str]]) -> list[dict[str, str]]:
    """Return the parameters of `EXPIRED`, in the order in which all processes lock the organizations."""
    last = dict(sorted((row.organization_id, row.position) for row in rows))
    return [{"own_id": organization_id, "last": position} for organization_id, position in last.items()]
