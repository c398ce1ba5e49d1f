"""Bulk inserts: COPY on PostgreSQL, one prepared INSERT per table on SQLite."""

from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite

from mainsheet.demo.bulk_rows import Rows, written_columns
from mainsheet.models.database import Database

SQLITE = sqlite.dialect()
CACHE_KIB = 256 * 1024  # index pages are accessed at random: SQLite's default of 2 MiB would evict most of them


async def load(database: Database, rows: Rows) -> None:
    """Insert all rows in one transaction, in the order of their foreign keys."""
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if database.is_sqlite:
            await _load_sqlite(driver, rows)
        else:
            async with driver.transaction():
                for table, records in rows.items():
                    await driver.copy_records_to_table(table.name, records=records, columns=_names(table))


async def _load_sqlite(driver: Any, rows: Rows) -> None:
    await driver.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    await driver.execute("BEGIN IMMEDIATE")
    try:
        for table, records in rows.items():
            await driver.executemany(_insert(table), records)
    except BaseException:
        if driver.in_transaction:
            await driver.execute("ROLLBACK")
        raise
    await driver.execute("COMMIT")


def _insert(table: Table) -> str:
    return str(insert(table).compile(dialect=SQLITE, column_keys=_names(table)))


def _names(table: Table) -> list[str]:
    return [column.name for column in written_columns(table)]


async def refresh_statistics(database: Database) -> None:
    """Update the planner's statistics, and let PostgreSQL use index-only scans."""
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("ANALYZE" if database.is_sqlite else "VACUUM (ANALYZE)")
