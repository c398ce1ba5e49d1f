"""Migrates a database to this package's models, and reports how the two differ."""

from functools import cache
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.database import Database
from mainsheet.models.errors import MainsheetError
from mainsheet.models.tables import Base

SEARCHED = ("job", "team", "actor", "cluster", "saved_query")
OF_SEARCH = tuple(f"{prefix}{table}_search" for table in SEARCHED for prefix in ("", "ix_"))
PARTS = [f"{table}_search{part}" for table in SEARCHED for part in ("", "_row", "_insert", "_update", "_delete")]
OPTIONS: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "include_name": lambda name, *_: not (name or "").startswith(OF_SEARCH),  # made by hand, different on each
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
}
HAS_SEARCH = {
    "postgresql": f"SELECT count(*) = {len(SEARCHED)} FROM pg_indexes WHERE schemaname = current_schema()"  # noqa: S608
    f" AND indexname IN {tuple(f'ix_{table}_search' for table in SEARCHED)}",
    "sqlite": f"SELECT count(*) = {len(PARTS)} FROM sqlite_master WHERE sql IS NOT NULL AND name IN {tuple(PARTS)}",  # noqa: S608
}
ADVISORY_LOCK = 0x4D41494E53484545  # "MAINSHEE": the same key for all processes that migrate
LOCK_TIMEOUT = "5s"


class NewerDatabase(MainsheetError):
    """The database was migrated by a newer version of this package."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(f"The database is newer: this version of Mainsheet doesn't know revision {revision}.")


async def upgrade(database: Database) -> str | None:
    """Run the pending migrations and return the revision before. Concurrent upgrades run one after the other.

    Raises `NewerDatabase`.
    """
    async with database.writes.connect() as connection:
        return await (_upgrade_sqlite(connection) if database.is_sqlite else _upgrade_postgresql(connection))


async def current_and_head(database: Database) -> tuple[str | None, str]:
    """Return the database's revision (`None` if it has none) and this package's."""
    async with database.reads.connect() as connection:
        return await revisions(connection)


async def revisions(connection: AsyncConnection) -> tuple[str | None, str]:
    """Return the revision of the connection's database (`None` if it has none) and this package's."""
    return await connection.run_sync(_current), _head()


async def drift(database: Database) -> list[str]:
    """Return the differences between the database and the models, one sentence each."""
    async with database.reads.connect() as connection:
        current, differences = await connection.run_sync(_compared)
        can_search = await connection.scalar(text(HAS_SEARCH[connection.dialect.name]))
    pending = [] if current == _head() else [f"The database is at revision {current}, the models at {_head()}."]
    lacking = [] if can_search else ["The database lacks the index of searches."]
    return pending + [_in_words(*difference) for difference in differences] + lacking


async def _upgrade_sqlite(connection: AsyncConnection) -> str | None:
    """Migrate with foreign keys off: Alembic alters a table by rebuilding it, and the drop would cascade."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("PRAGMA foreign_keys = OFF")  # does nothing within a transaction
    try:
        async with connection.begin():
            before = await connection.run_sync(_run_pending)
            await _refuse_broken_keys(connection)
            return before
    finally:
        await driver.execute("PRAGMA foreign_keys = ON")


async def _refuse_broken_keys(connection: AsyncConnection) -> None:
    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if broken:
        raise MainsheetError(f"A migration would leave rows whose foreign key leads nowhere: {broken[:10]}")


async def _upgrade_postgresql(connection: AsyncConnection) -> str | None:
    """Migrate under an advisory lock and a lock timeout: a long wait for a table lock would block all other queries.

    Timeouts that the role or the database has are for the statements of a server. A migration may take longer, and so
    may the wait for another process that migrates.
    """
    async with connection.begin():
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SET LOCAL lock_timeout = 0"))
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        return await connection.run_sync(_run_pending)


def _run_pending(connection: Connection) -> str | None:
    current = _current(connection)
    if is_pending(current):
        command.upgrade(config(connection), "head")
    return current


def is_pending(current: str | None) -> bool:
    """Return whether a database at this revision has to be migrated. Raises `NewerDatabase`."""
    if current is not None and current not in _revisions():
        raise NewerDatabase(current)
    return current != _head()


def config(connection: Connection | None = None) -> Config:
    """Configure Alembic without a file, so that it runs from an installed wheel."""
    alembic = Config()
    alembic.set_main_option("script_location", "mainsheet.models:migrations")
    alembic.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    alembic.attributes["connection"] = connection
    return alembic


@cache
def _revisions() -> frozenset[str]:
    return frozenset(each.revision for each in ScriptDirectory.from_config(config()).walk_revisions())


@cache
def _head() -> str:
    (head,) = ScriptDirectory.from_config(config()).get_heads()
    return head


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


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
