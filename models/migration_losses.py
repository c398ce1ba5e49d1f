"""The data that a downgrade deletes.

A migration declares in `downgrade_drops` the tables and columns that its `downgrade` drops: `"label"`, `"job.colour"`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.script import Script
from sqlalchemy import Connection, Select, column, func, inspect, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Loss:
    """Rows of a dropped table, or rows of a dropped column whose value isn't the default."""

    table: str
    column: str | None
    rows: int


async def losses(connection: AsyncConnection, undone: Sequence[Script]) -> Sequence[Loss]:
    """Return what is lost if these migrations are undone."""
    return [each for each in await connection.run_sync(_counted, undone) if each.rows]


def _counted(connection: Connection, undone: Sequence[Script]) -> list[Loss]:
    return [
        Loss(table_, column_ or None, connection.scalar(_count(connection, table_, column_)) or 0)
        for table_, column_ in _dropped(undone)
    ]


def _dropped(undone: Sequence[Script]) -> Iterator[tuple[str, str]]:
    for migration in undone:
        for name in getattr(migration.module, "downgrade_drops", ()):
            table_, _, column_ = name.partition(".")
            yield table_, column_


def _count(connection: Connection, table_: str, column_: str) -> Select[int]:
    rows = select(func.count()).select_from(table(table_))
    if not column_:
        return rows
    (found,) = [each for each in inspect(connection).get_columns(table_) if each["name"] == column_]
    return rows.where(column(column_).is_distinct_from(text(found["default"] or "NULL")))
