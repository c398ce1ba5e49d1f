"""Waiting until a statement waits for a lock, on PostgreSQL."""

from asyncio import Future
from typing import Any

from sqlalchemy import text

from mainsheet.models.database import Database

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
WAITING_LONG = f"{WAITING} AND clock_timestamp() > query_start + interval '1.5 s'"


async def until_waiting(database: Database, work: Future[Any], query: str = WAITING) -> None:
    """Return when the query counts something: a statement that waits for a lock. Fails if the work ends before."""
    async with database.reads.connect() as watch:
        watching = await watch.execution_options(isolation_level="AUTOCOMMIT")
        while not await watching.scalar(text(query)):
            assert not work.done(), f"it should wait: {work.result()}"
