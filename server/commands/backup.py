"""`mainsheet db backup` and `mainsheet db restore`. PostgreSQL's own programs do it for PostgreSQL."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mainsheet.models.database_url import DatabaseUrl
from mainsheet.models.feed import begin_epoch_after_restore
from mainsheet.models.migration_steps import is_pending
from mainsheet.models.revisions import revisions_of
from mainsheet.models.sqlite_copy import BESIDE, checked_copy, has_data, put, replace, revision
from mainsheet.server.commands import postgresql
from mainsheet.server.commands.file_errors import file_errors
from mainsheet.server.commands.options import with_settings
from mainsheet.server.commands.progress import progress_bar
from mainsheet.server.commands.running import (
    check_folder,
    database_at,
    failing_in_one_line,
    parsed_url,
    run,
    upgrade_command,
)
from mainsheet.server.process.database_lock import SUFFIX, locked
from mainsheet.server.settings import PREFIX, Settings


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Make SIGTERM raise, as Ctrl-C does, so that no incomplete copy is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@with_settings("database_url")
@_interrupted_by_sigterm()
@failing_in_one_line()
@file_errors()
def backup(settings: Settings, *, file: Path, force: bool) -> None:
    """Copy the database to FILE while a server uses it. Only its owner can read FILE.

    FILE is complete, or it isn't there. PostgreSQL is copied by `pg_dump`, in its custom format.
    """
    if file.exists() and not force:
        raise click.ClickException(f"{file} exists already: choose another name, or overwrite it with --force")
    if file.exists() and not file.is_file():
        raise click.ClickException(f"{file} isn't a regular file: choose another name")
    check_folder(file)
    run(_check_tables(settings, has_tables=True))
    url = parsed_url(settings.database_url)
    if url.file:
        _copy(url.file, file)
    else:
        _check_pooling(settings, "pg_dump")
        postgresql.dump(url, file)
    click.echo(f"The database is copied to {file}.")


def _check_pooling(settings: Settings, program: str) -> None:
    """Refuse a transaction pooler: the program's settings would stay in sessions that the server uses."""
    if settings.database_pooling == "transaction":
        remedy = f"give the URL of PostgreSQL itself, with {PREFIX}DATABASE_POOLING=session"
        raise click.ClickException(f"{program} can't use a transaction pooler: {remedy}")


async def _check_tables(settings: Settings, *, has_tables: bool) -> None:
    async with database_at(settings) as database:
        current = (await revisions_of(database)).current
    if has_tables and current is None:
        raise click.ClickException("The database has no tables: there is nothing to copy")
    if not has_tables and current is not None:
        raise click.ClickException("The database has tables already: restore into a new, empty one")


def _copy(path: Path, file: Path) -> None:
    _refuse_same(path, file)
    revision(path)  # raises an error if `db restore` would refuse it
    with progress_bar("Copying", 100) as advance, checked_copy(path, file, advance) as copy:
        put(copy, file)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a SQLite database that has data, and keep it under another name.")
@with_settings("database_url")
@_interrupted_by_sigterm()
@failing_in_one_line()
@file_errors()
def restore(settings: Settings, *, file: Path, force: bool) -> None:
    """Make the database what it was when `db backup` made FILE. No server may use it meanwhile.

    On PostgreSQL, the database must be empty. The data is written by `pg_restore`.
    """
    url = parsed_url(settings.database_url)
    is_old = _replace(url.file.resolve(), file, force=force) if url.file else _fill(settings, url, file)
    click.echo(f"The database is restored from {file}.")
    if is_old:
        click.echo(f"It is of an older version: run `{upgrade_command()}`.")


def _fill(settings: Settings, url: DatabaseUrl, file: Path) -> bool:
    """Write the backup into an empty database of PostgreSQL. Return whether it has to be migrated."""
    _check_pooling(settings, "pg_restore")
    is_old = is_pending(postgresql.revision(file))
    run(_check_tables(settings, has_tables=False))
    postgresql.restore(url, file)
    run(_begin_epoch(settings))
    return is_old


async def _begin_epoch(settings: Settings) -> None:
    async with database_at(settings) as database:
        await begin_epoch_after_restore(database)


def _replace(path: Path, file: Path, *, force: bool) -> bool:
    """Replace a SQLite database by a copy of the file. Return whether it has to be migrated."""
    check_folder(path)
    _refuse_same(path, file)
    is_old = is_pending(revision(file))
    with locked(path):
        if has_data(path) and not force:
            raise click.ClickException(f"The database {path} has data: replace it with --force, which keeps it")
        with progress_bar("Copying", 100) as advance, checked_copy(file, path, advance) as copy:
            kept = replace(path, copy)
    if kept:
        click.echo(f"The database that was there before is now {kept}.")
    return is_old


def _refuse_same(path: Path, file: Path) -> None:
    """Refuse a file that is the database, or that SQLite or a server keeps beside it, whether or not it is there."""
    for suffix in ("", *BESIDE, SUFFIX):
        own = Path(f"{path.resolve()}{suffix}")
        if file.resolve() == own or (own.exists() and file.exists() and own.samefile(file)):
            raise click.ClickException(f"{file} is {'a file of ' if suffix else ''}the database itself")
