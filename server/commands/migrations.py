"""Commands of the group `db` for the database's tables: bring them to a revision, and say at which one they are."""

from collections.abc import Sequence
from functools import partial

import click
import orjson
from alembic.script import Script

from mainsheet.models.database import Database
from mainsheet.models.migrate import downgrade, drift, upgrade
from mainsheet.models.migration_losses import Loss, losses
from mainsheet.models.migration_script import script
from mainsheet.models.migration_steps import pending, undone, upgrade_steps
from mainsheet.models.revisions import Revisions, revisions_of
from mainsheet.models.unfit import unfit
from mainsheet.server.commands.options import json_option, with_settings
from mainsheet.server.commands.running import DATABASE_FAILURES, database_at, migrated, reason, run
from mainsheet.server.commands.table import show, table
from mainsheet.server.settings import Settings

SHOWN = 20
dry_run = click.option("--dry-run", is_flag=True, help="List the migrations, and run none.")
report = partial(click.echo, err=True)


@click.command(name="upgrade")
@dry_run
@click.option("--sql", "as_sql", is_flag=True, help="Print the SQL of the pending migrations, and run none.")
@with_settings("database_url")
def upgrade_(settings: Settings, *, dry_run: bool, as_sql: bool) -> None:
    """Migrate the database to this version. Several processes may run this at once.

    On PostgreSQL, each migration that the previous version can serve is a transaction of its own. A migration that
    waits for a lock names the session that holds it, gives up after 2 seconds and is tried again.
    """
    if dry_run or as_sql:
        run(_preview(settings, as_sql=as_sql))
    else:
        run(_upgrade(settings))


async def _upgrade(settings: Settings) -> None:
    async with database_at(settings, may_create=True) as database:
        before = await upgrade(database, report)
        revisions = await revisions_of(database)
        click.echo(_position(revisions))
        if before != revisions.current:  # else the values are those that this version checked
            await _report_unfit(database)


async def _preview(settings: Settings, *, as_sql: bool) -> None:
    async with database_at(settings) as database:
        if as_sql and database.is_sqlite:
            raise click.ClickException("There is no script for SQLite: its migrations depend on the tables they find")
        revisions = await revisions_of(database)
        upgrade_steps(revisions)  # raises an error if it can't be upgraded
    if as_sql:
        click.echo(script(pending(revisions)), nl=False)
    else:
        _list(pending(revisions))


def _position(revisions: Revisions) -> str:
    return f"{revisions.position}." + (" This version can serve it." if revisions.is_newer else "")


def _list(migrations: Sequence[Script]) -> None:
    if not migrations:
        click.echo("There is no migration to run.")
        return
    for line in table(("REVISION", "MIGRATION"), [(each.revision, each.doc) for each in migrations]):
        click.echo(line)


@click.command(name="downgrade")
@click.argument("revision")
@dry_run
@click.option("--yes", is_flag=True, help="Delete the data that only newer revisions can store.")
@with_settings("database_url")
def downgrade_(settings: Settings, *, revision: str, dry_run: bool, yes: bool) -> None:
    """Undo the migrations after REVISION. Stop the servers of the newer version first.

    If data would be lost, this lists it and does nothing, unless --yes is given.
    """
    run(_downgrade(settings, revision, is_dry=dry_run, may_lose=yes))


async def _downgrade(settings: Settings, to: str, *, is_dry: bool, may_lose: bool) -> None:
    async with database_at(settings) as database:
        migrations = undone(await revisions_of(database), to)
        async with database.reads.connect() as connection:
            lost = await losses(connection, migrations)
        if is_dry:
            _list(migrations)
        _list_lost(lost)
        if is_dry:
            return
        if lost and not may_lose:
            raise click.ClickException("Data would be lost, so nothing was changed: use --yes to delete it")
        await downgrade(database, to, report)
        click.echo(_position(await revisions_of(database)))


def _list_lost(lost: Sequence[Loss]) -> None:
    if lost:
        rows = [(each.table, each.column, f"{each.rows:,}") for each in lost]
        show({"TABLE": "", "COLUMN": "all", "ROWS LOST": ""}, rows, as_json=False)


@click.command()
@json_option
@with_settings("database_url")
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the database's revision, this version's, and the pending migrations."""
    run(_status(settings, as_json=as_json))


async def _status(settings: Settings, *, as_json: bool) -> None:
    async with database_at(settings) as database:
        revisions = await revisions_of(database)
    if as_json:
        click.echo(orjson.dumps(_as_object(revisions), option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(f"{revisions.obstacle}." if revisions.obstacle else _position(revisions))
    if revisions.compatible_from:
        click.echo(f"Versions from revision {revisions.compatible_from} on can serve it.")
    _list(pending(revisions))


def _as_object(revisions: Revisions) -> dict[str, object]:
    return {
        "current": revisions.current,
        "head": revisions.head,
        "compatibleFrom": revisions.compatible_from,
        "obstacle": revisions.obstacle,
        "pending": [{"revision": each.revision, "description": each.doc} for each in pending(revisions)],
    }


async def _report_unfit(database: Database, most: int | None = SHOWN) -> None:
    """List stored values that today's rules would refuse. An error here doesn't fail the command."""
    count = 0
    try:
        async for each in unfit(database):
            count += 1
            if most is None or count <= most:
                click.echo(f"{each}")
    except DATABASE_FAILURES as error:
        click.echo(f"Not all stored values could be compared with the rules for new ones: {reason(error)}", err=True)
    if count:
        more = f" The first {most} are shown; `mainsheet db check --values` lists all." if most and count > most else ""
        click.echo(f"Stored values that don't fit the rules for new ones: {count:,}. They stay usable.{more}")


@click.command()
@click.option("--values", is_flag=True, help="List stored values that don't fit the rules for new ones, too.")
@with_settings("database_url")
def check(settings: Settings, values: bool) -> None:
    """Exit with 0 if the database is reachable, migrated, and equal to the models.

    A database of a newer version that this version can serve isn't compared.
    """
    run(_check(settings, values))


async def _check(settings: Settings, values: bool) -> None:
    async with migrated(settings) as database:
        revisions = await revisions_of(database)
        differences = [] if revisions.is_newer else await drift(database)  # its own version knows its tables
        if values:
            await _report_unfit(database, most=None)
    for difference in differences:
        click.echo(difference)
    if differences:
        raise click.ClickException(f"The database differs from the models in {len(differences)} places")
    click.echo(_position(revisions) if revisions.is_newer else "The database is up to date.")
