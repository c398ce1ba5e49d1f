"""Migrates a database to this package's models, and reports how the two differ."""

from functools import partial
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.database import Database
from mainsheet.models.errors import MainsheetError
from mainsheet.models.migration_locks import Report, Watch, only_process, run_with_retries
from mainsheet.models.migration_steps import Plan, downgrade_steps, upgrade_steps
from mainsheet.models.revisions import Revisions, head, revisions, revisions_of, store_compatibility
from mainsheet.models.tables import Base

SEARCHED = ("job", "team", "actor", "cluster", "saved_query")
OF_EVENTS = ("ix_event_search_day", "ix_event_search_teams")  # on PostgreSQL only
OF_SEARCH = (*(f"{prefix}{table}_search" for table in SEARCHED for prefix in ("", "ix_")), *OF_EVENTS)
INDEXES = (*(f"ix_{table}_search" for table in SEARCHED), *OF_EVENTS)
PARTS = [f"{table}_search{part}" for table in SEARCHED for part in ("", "_row", "_insert", "_update", "_delete")]
OPTIONS: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "include_name": lambda name, *_: not (name or "").startswith(OF_SEARCH),  # made by hand, different on each
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    "on_version_apply": store_compatibility,
}
HAS_SEARCH = {
    "postgresql": f"SELECT count(*) = {len(INDEXES)} FROM pg_indexes WHERE schemaname = current_schema()"  # noqa: S608
    f" AND indexname IN {INDEXES}",
    "sqlite": f"SELECT count(*) = {len(PARTS)} FROM sqlite_master WHERE sql IS NOT NULL AND name IN {tuple(PARTS)}",  # noqa: S608
}
INVALID_INDEXES = """
SELECT indexrelid::regclass::text AS name, indrelid::regclass::text AS "table"
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace
ORDER BY name
"""
NEEDED_ENCODING = "UTF8"
WRONG_ENCODING = text(f"SELECT nullif(current_setting('server_encoding'), '{NEEDED_ENCODING}')")


class WrongEncoding(MainsheetError):
    """A new database of PostgreSQL couldn't store all characters, or would count them wrongly."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"The database has the encoding {encoding}: create one with the encoding {NEEDED_ENCODING}")


def ignore(_sentence: str) -> None:
    """Report nothing."""


async def upgrade(database: Database, report: Report = ignore) -> str | None:
    """Run the pending migrations and return the revision before. Concurrent upgrades run one after the other.

    A newer database that this version can serve is left as it is. Raises `NewerDatabase` for others, `NoLock`, and
    `WrongEncoding`.
    """
    return (await _migrate(database, upgrade_steps, report)).current


async def downgrade(database: Database, to: str, report: Report = ignore) -> None:
    """Undo the migrations after a revision. Raises `CannotDowngrade`, and `NoLock`."""
    await _migrate(database, partial(downgrade_steps, to=to), report)


async def drift(database: Database) -> list[str]:
    """Return how the database differs from the models, unusable indexes, and a wrong encoding, one sentence each."""
    async with database.reads.connect() as connection:
        current, differences = await connection.run_sync(_compared)
        can_search = await connection.scalar(text(HAS_SEARCH[connection.dialect.name]))
        invalid = [] if database.is_sqlite else (await connection.execute(text(INVALID_INDEXES))).all()
        encoding = None if database.is_sqlite else await connection.scalar(WRONG_ENCODING)
    pending = [] if current == head() else [f"The database is at revision {current}, the models at {head()}."]
    lacking = [] if can_search else ["The database lacks the index of searches."]
    wrong = [f"The database has the encoding {encoding}, but needs {NEEDED_ENCODING}."] if encoding else []
    return [*pending, *(_in_words(*each) for each in differences), *lacking, *map(_unusable, invalid), *wrong]


def _unusable(index: Any) -> str:
    repair = f"if nothing builds it now, run REINDEX INDEX CONCURRENTLY {index.name}"
    return f"The index {index.name} of {index.table} isn't valid, so queries don't use it: {repair}."


async def _migrate(database: Database, plan: Plan, report: Report) -> Revisions:
    """Run the steps that are planned for the database's revisions, and return these."""
    return await (_migrate_sqlite if database.is_sqlite else _migrate_postgresql)(database, plan, report)


async def _migrate_sqlite(database: Database, plan: Plan, _report: Report) -> Revisions:
    """Run all steps in one transaction.

    Foreign keys are off: Alembic alters a table by rebuilding it, and the drop would cascade.
    """
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("PRAGMA foreign_keys = OFF")  # does nothing within a transaction
        try:
            async with connection.begin():
                before = await revisions(connection)
                for step in plan(before):
                    await connection.run_sync(step.run)
                await _refuse_broken_keys(connection)
                return before
        finally:
            await driver.execute("PRAGMA foreign_keys = ON")


async def _refuse_broken_keys(connection: AsyncConnection) -> None:
    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if broken:
        raise MainsheetError(f"A migration would leave rows whose foreign key leads nowhere: {broken[:10]}")


async def _migrate_postgresql(database: Database, plan: Plan, report: Report) -> Revisions:
    """Run each step in a transaction of its own, so that its locks are held for a short time.

    Indexes that are built concurrently are outside of transactions, and wait for as long as the session allows.
    """
    async with only_process(database, report) as check_lock:
        before = await revisions_of(database)
        steps = plan(before)
        if before.current is None:
            await _refuse_wrong_encoding(database)
        async with database.writes.connect() as connection:
            for step in steps:
                await check_lock()
                await run_with_retries(connection, step.run, Watch(database, report))
        return before


async def _refuse_wrong_encoding(database: Database) -> None:
    async with database.reads.connect() as connection:
        encoding = await connection.scalar(WRONG_ENCODING)
    if encoding is not None:
        raise WrongEncoding(encoding)


def _compared(connection: Connection) -> tuple[str | None, list[tuple[Any, ...]]]:
    context = MigrationContext.configure(connection, opts=OPTIONS)
    found = compare_metadata(context, Base.metadata)
    flat = [each for entry in found for each in (entry if isinstance(entry, list) else [entry])]
    return context.get_current_revision(), flat


def _in_words(what: str, *details: Any) -> str:
    verb, _, kind = what.partition("_")
    match verb:
        case "add":
            return f"The database lacks the {_named(kind, details[-1])}."
        case "remove":
            return f"The models don't know the {_named(kind, details[-1])}."
    _, table, column, *_, before, after = details
    return f"The {kind} of {table}.{column} is {before!r}, but should be {after!r}."


def _named(kind: str, item: Any) -> str:
    table = getattr(item, "table", None)
    return f"{kind} {item.name}" if table is None else f"{kind} {item.name} of {table.name}"
