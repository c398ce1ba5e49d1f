"""All rows of a database, whatever its version."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, inspect, text

from mainsheet.models.database import Database
from mainsheet.models.migrate import OF_SEARCH

OF_MIGRATIONS = {"alembic_version", "schema_compatibility"}

Rows = Mapping[str, Sequence[RowMapping]]


async def every_row(database: Database) -> Rows:
    """Return the rows by table, without those of the search index and of migrations."""
    async with database.reads.connect() as connection:
        tables = await connection.run_sync(_tables)
        return {each: (await connection.execute(text(f"SELECT * FROM {each}"))).mappings().all() for each in tables}


def _tables(connection: Connection) -> list[str]:
    names = set(inspect(connection).get_table_names()) - OF_MIGRATIONS
    return sorted(each for each in names if not each.startswith(OF_SEARCH))


def lost(before: Rows, after: Rows) -> list[str]:
    """Return the tables with rows that are missing or different afterwards, in the columns that are left."""
    return [table for table, rows in before.items() if _sorted(rows, after[table]) != _sorted(after[table], rows)]


def _sorted(rows: Sequence[RowMapping], other: Sequence[RowMapping]) -> list[tuple[str, ...]]:
    """Return the values of the columns that both have."""
    common = sorted(rows[0].keys() & other[0].keys()) if rows and other else []
    return sorted(tuple(str(row[each]) for each in common) for row in rows)
