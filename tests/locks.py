"""Waiting until a statement waits for a lock, and timeouts of statements and transactions, on PostgreSQL."""

from asyncio import Future
from typing import Any

from asyncpg import Connection  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import text

from mainsheet.models.database import Database

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
TIMEOUTS = ("lock_timeout", "statement_timeout", "transaction_timeout")
WAITING_LONG = f"{WAITING} AND clock_timestamp() > query_start + interval '1.5 s'"


async def until_waiting(database: Database, work: Future[Any], query: str = WAITING) -> None:
    """Return when the query counts something: a statement that waits for a lock. Fails if the work ends before."""
    async with database.reads.connect() as watch:
        watching = await watch.execution_options(isolation_level="AUTOCOMMIT")
        while not await watching.scalar(text(query)):
            assert not work.done(), f"it should wait: {work.result()}"


async def timeouts(connection: Connection) -> dict[str, str]:
    """Return the timeouts that this version of PostgreSQL has, in milliseconds."""
    rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY($1)", TIMEOUTS)
    return {row["name"]: row["setting"] for row in rows}
