from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, Row, String, bindparam, delete, event, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from mainsheet.models.base import Base
from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.event import Event
from mainsheet.models.organization import Organization

BATCH = 1_000
# The newest events have the highest transactions, but not always in the order of their numbers.
BEGIN_EPOCH = """UPDATE feed SET epoch = epoch + 1
  WHERE (SELECT max(transaction_id) FROM (
    SELECT epoch, transaction_id FROM event ORDER BY number DESC LIMIT 1000) AS newest WHERE newest.epoch = feed.epoch
  ) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""

# A promoted standby has a new timeline and may lack the newest events; so has a database after a recovery to a point in
# time. The lock waits for writers that have read the old epoch. Some hosted databases have no functions for timelines.
FOLLOW_TIMELINE = """DO $$
DECLARE
  current int;
BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RETURN;
  END IF;
  current := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int;
  IF EXISTS (SELECT FROM feed WHERE timeline IS DISTINCT FROM current) THEN
    LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE;
    UPDATE feed SET epoch = epoch + (timeline IS NOT NULL)::int, timeline = current
      WHERE timeline IS DISTINCT FROM current;
  END IF;
EXCEPTION WHEN feature_not_supported OR insufficient_privilege OR undefined_function THEN
  NULL;
END $$"""

LAST = bindparam("last", type_=String())
EXPIRED = (
    update(Organization)
    .where(Organization.id == bindparam("own_id"), Organization.events_expired_to < LAST)
    .values(events_expired_to=LAST)
)


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

    After a failover, all connections are new. Only a pooler between us and PostgreSQL may keep old ones.
    """
    if database.is_sqlite:
        return

    @event.listens_for(database.writes.sync_engine, "connect")
    def follow(driver: Any, _entry: ConnectionPoolEntry) -> None:
        try:
            driver.run_async(lambda connection: connection.execute(FOLLOW_TIMELINE))
        except BaseException:
            driver.terminate()  # the pool wouldn't close it
            raise


async def begin_epoch_after_restore(database: Database) -> None:
    """Begin an epoch: in another cluster, events that the restore lost may have higher transactions than new ones.

    A database of version 0.1.0 has no feed.
    """
    async with database.writes.begin() as connection:
        if await connection.run_sync(lambda sync: inspect(sync).has_table(Feed.__tablename__)):
            await connection.execute(update(Feed).values(epoch=Feed.epoch + 1))


async def expire(database: Database, kept: timedelta) -> int:
    """Delete events that are older than `kept`, and return their number. Cursors before them are expired then."""
    deleted = 0
    while True:
        async with database.writes.begin() as connection:
            found = await _expire_batch(connection, kept)
        deleted += found
        if found < BATCH:
            return deleted


async def _expire_batch(connection: AsyncConnection, kept: timedelta) -> int:
    before = await read_clock(connection) - kept
    columns = Event.number, Event.organization_id, Event.position, Event.occurred_at
    oldest = select(*columns).order_by(Event.number).limit(BATCH)
    rows = [row for row in (await connection.execute(oldest)).all() if row.occurred_at < before]
    if rows:
        await connection.execute(delete(Event).where(Event.number.in_([row.number for row in rows])))
        await connection.execute(EXPIRED, _expired(rows))
    return len(rows)


def _expired(rows: Sequence[Row[int, str, str, datetime]]) -> list[dict[str, str]]:
    """Return the parameters of `EXPIRED`, in the order in which all processes lock the organizations."""
    last = dict(sorted((row.organization_id, row.position) for row in rows))
    return [{"own_id": organization_id, "last": position} for organization_id, position in last.items()]
