"""The database's clock, which every stored moment comes from: the clocks of several processes disagree."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from mainsheet.models.base import UtcDateTime

FUNCTION = "clock_timestamp"  # PostgreSQL's own; each connection to SQLite gets one of that name


def database_time() -> ColumnElement[datetime]:
    """Return the expression for the present moment, to be selected with the rows that a statement reads."""
    return getattr(func, FUNCTION)(type_=UtcDateTime())  # type: ignore[no-any-return]  # `func` makes any function


async def read_clock(connection: AsyncSession | AsyncConnection) -> datetime:
    """Ask for the present moment alone, where no other statement is due."""
    return (await connection.execute(select(database_time()))).scalar_one()


def process_time() -> datetime:
    """Return the process's own clock, which is SQLite's: it has no server."""
    return datetime.now(UTC)


def sqlite_time() -> str:
    """Return the present moment as SQLAlchemy stores it in SQLite."""
    return process_time().strftime("%Y-%m-%d %H:%M:%S.%f")
