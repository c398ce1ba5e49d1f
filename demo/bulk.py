"""Rows by the hundred thousand: COPY on PostgreSQL, on SQLite one prepared INSERT for each table."""

from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite

from mainsheet.demo.bulk_rows import Rows
from mainsheet.models.database import Database

SQLITE = sqlite.dialect()
CACHE_KIB = 256 * 1024  # the indexes' pages are met in no order: SQLite's 2 MiB would read most of them again


async def load(database: Database, rows: Rows) -> None:
    """Insert all of it in one transaction, what is referred to first."""
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if database.is_sqlite:
            await _load_sqlite(driver, rows)
        else:
            async with driver.transaction():
                for table, records in rows.items():
                    await driver.copy_records_to_table(table.name, records=records, columns=table.columns.keys())


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
    return str(insert(table).compile(dialect=SQLITE))


async def refresh_statistics(database: Database) -> None:
    """Let the planner know what was added, and PostgreSQL read from indexes alone."""
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("ANALYZE" if database.is_sqlite else "VACUUM (ANALYZE)")
