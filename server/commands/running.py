"""Shared by all commands: an event loop, an open database, and one-line error messages."""

import asyncio
import os
import shlex
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no stubs
import click
from sqlalchemy.exc import SQLAlchemyError

from mainsheet.models.database import PATIENT, Database, Patience
from mainsheet.models.database_url import BadDatabaseUrl, DatabaseUrl
from mainsheet.models.errors import MainsheetError
from mainsheet.models.failures import failure_of
from mainsheet.models.feed import follow_timelines
from mainsheet.models.revisions import revisions_of
from mainsheet.server.observe.redaction import url_without_secrets, without_secrets
from mainsheet.server.settings import PREFIX, Settings

PRIVATE = 0o600
REFUSED_BY_POOLER = "unsupported startup parameter"  # PgBouncer's message, in each of its modes
NEEDS_POOLING = f": for PgBouncer, set {PREFIX}DATABASE_POOLING=transaction"
DATABASE_FAILURES = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine. Expected failures become one line."""
    with failing_in_one_line(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_interruptible(main))


async def _interruptible(main: Coroutine[Any, Any, None]) -> None:
    """If Ctrl-C cancelled the command, end it so that `asyncio` sees that, also after an error in the cleanup."""
    try:
        await main
    except Exception as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise


@contextmanager
def failing_in_one_line() -> Iterator[None]:
    """Show expected failures as one line; anything else is a bug and keeps its traceback."""
    try:
        yield
    except MainsheetError as error:
        raise click.ClickException(without_secrets(str(error))) from None
    except DATABASE_FAILURES as error:
        raise click.ClickException(f"{_failure(error)}: {reason(error)}") from None


@contextmanager
def resumable(rest: str) -> Iterator[None]:
    """If the database fails inside this context, say that what was done is kept and how to do the rest."""
    try:
        yield
    except DATABASE_FAILURES as error:
        text = f"{_failure(error)}: {reason(error)}. What was done until then is kept. Run the command again to {rest}."
        raise click.ClickException(text) from None


def _failure(error: Exception) -> str:
    return str(failure_of(error) or "The database refused a statement")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # not available on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


@asynccontextmanager
async def database_at(
    settings: Settings, *, may_create: bool = False, patience: Patience = PATIENT
) -> AsyncIterator[Database]:
    """Open the database without checking its tables. A missing SQLite file is created only with `may_create`."""
    check_url(settings.database_url, may_create=may_create)
    database = Database.open(
        settings.database_url, pool_size=settings.pool_size, patience=patience, pooling=settings.database_pooling
    )
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def migrated(settings: Settings) -> AsyncIterator[Database]:
    async with database_at(settings) as database:
        await require_served(database)
        follow_timelines(database)
        yield database


async def require_served(database: Database) -> None:
    """Fail with one line if this version can't serve the database."""
    revisions = await revisions_of(database)
    if revisions.obstacle:
        remedy = "update Mainsheet" if revisions.is_newer else f"run `{upgrade_command()}`"
        raise click.ClickException(f"{revisions.obstacle}: {remedy}")


def upgrade_command() -> str:
    context = click.get_current_context(silent=True)  # a worker is no command
    url = context.params.get("database_url") if context else None
    if url is None:
        return "mainsheet db upgrade"
    return f"mainsheet db upgrade --database-url {shlex.quote(url_without_secrets(url))}"


def check_url(url: str, *, may_create: bool) -> DatabaseUrl:
    """Parse the URL, and check that a SQLite file opens. A missing one is created only with `may_create`."""
    parsed = parsed_url(url)
    if parsed.file:
        _check_file(parsed.file, may_create=may_create)
    return parsed


def parsed_url(url: str) -> DatabaseUrl:
    try:
        parsed = DatabaseUrl.parse(url)
    except BadDatabaseUrl as error:
        raise click.ClickException(str(error)) from None
    if parsed.is_sqlite and not parsed.file:
        raise click.ClickException("A SQLite database needs a file: sqlite:///FILE")
    return parsed


def _check_file(path: Path, *, may_create: bool) -> None:
    check_folder(path)
    if not path.exists():
        if not may_create:
            raise click.ClickException(f"There is no database {path}: run `{upgrade_command()}`")
        _create(path)
    _check_opens(path)


def check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise click.ClickException(f"The directory {path.parent} of {path.name} doesn't exist")


def _create(path: Path) -> None:
    """Create an empty file that only its owner can read. SQLite gives the files beside it the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT, PRIVATE))
    except OSError as error:
        raise click.ClickException(f"The database {path} can't be created: {error.strerror}") from None


def _check_opens(path: Path) -> None:
    """Check with `sqlite3` that the file opens: aiosqlite's thread would print a traceback after the loop is closed."""
    try:
        sqlite3.connect(path).close()
    except sqlite3.Error as error:
        raise click.ClickException(f"The database {path} can't be opened: {error}") from None


def reason(error: BaseException) -> str:
    origin = getattr(error, "orig", None) or error
    first = next(iter(str(origin).splitlines()), "") or type(origin).__name__
    hint = NEEDS_POOLING if first.startswith(REFUSED_BY_POOLER) else ""
    return without_secrets(f"{first}{hint}")
