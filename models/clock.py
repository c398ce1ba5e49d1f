"""The database's clock: all stored times come from it, since the clocks of several processes disagree."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from mainsheet.models.base import UtcDateTime

FUNCTION = "clock_timestamp"  # PostgreSQL's own; each connection to SQLite gets one of that name


def database_time() -> ColumnElement[datetime]:
    """Return the SQL expression for the current time, to be selected beside the rows that a statement reads."""
    return getattr(func, FUNCTION)(type_=UtcDateTime())  # type: ignore[no-any-return]  # `func` makes any function


async def read_clock(connection: AsyncSession | AsyncConnection) -> datetime:
    """Return the database's current time, by a statement of its own."""
    return (await connection.execute(select(database_time()))).scalar_one()


def process_time() -> datetime:
    """Return this process's current time. SQLite uses it too, since it has no server."""
    return datetime.now(UTC)


def sqlite_time() -> str:
    """Return the current time in the format in which SQLAlchemy stores it in SQLite."""
    return process_time().strftime("%Y-%m-%d %H:%M:%S.%f")
