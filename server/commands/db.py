from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from mainsheet.demo import seed_demo, seed_jobs
from mainsheet.models.database import Database
from mainsheet.models.migrate import current_and_head, drift, upgrade
from mainsheet.models.retention import EXPIRING, Retention, prunable, prune
from mainsheet.models.unfit import unfit
from mainsheet.server.commands.backup import backup, restore
from mainsheet.server.commands.options import json_option, with_settings
from mainsheet.server.commands.progress import progress_bar
from mainsheet.server.commands.running import DATABASE_FAILURES, database_at, migrated, reason, resumable, run
from mainsheet.server.commands.table import show
from mainsheet.server.process.pruner import retention_of
from mainsheet.server.settings import Settings

SHOWN = 20


@click.group()
def db() -> None:
    """The database."""


db.add_command(backup)
db.add_command(restore)


@db.command(name="upgrade")
@with_settings("database_url")
def upgrade_(settings: Settings) -> None:
    """Migrate the database to this version. Several processes may run this at once."""
    run(_upgrade(settings))


async def _upgrade(settings: Settings) -> None:
    async with database_at(settings, may_create=True) as database:
        before = await upgrade(database)
        _, head = await current_and_head(database)
        click.echo(f"The database is at revision {head}.")
        if before != head:  # else the values are those that this version checked
            await _report_unfit(database)


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


@db.command()
@click.option("--jobs", type=click.IntRange(0, 1_000_000), default=0, help="Add this many generated jobs to harbor.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same jobs.")
@with_settings("database_url")
def seed(settings: Settings, jobs: int, seed: int) -> None:
    """Add the demo data if it is missing, then --jobs generated jobs with their teams and members.

    Running the same command again adds as many jobs again.
    """
    run(_seed(settings, jobs, seed))


async def _seed(settings: Settings, jobs: int, seed: int) -> None:
    async with migrated(settings) as database:
        await seed_demo(database)
        if jobs:
            with progress_bar("Generated jobs", jobs) as advance, told_how_to_go_on(jobs) as done:
                await seed_jobs(database, jobs, seed, lambda now: advance(done(now)))


@contextmanager
def told_how_to_go_on(jobs: int) -> Iterator[Callable[[int], int]]:
    """On an interrupt, print on stderr how many jobs are kept and how to add the rest."""
    kept = 0

    def done(now: int) -> int:
        nonlocal kept
        kept = now
        return now

    try:
        yield done
    except BaseException:
        if kept:
            what = f"Stopped: {kept:,} of {jobs:,} generated jobs are kept"
            click.echo(f"\n{what}; the same command with --jobs {jobs - kept} makes the others.", err=True)
        raise


@db.command()
@click.option("--values", is_flag=True, help="List stored values that don't fit the rules for new ones, too.")
@with_settings("database_url")
def check(settings: Settings, values: bool) -> None:
    """Exit with 0 if the database is reachable, migrated, and equal to the models."""
    run(_check(settings, values))


async def _check(settings: Settings, values: bool) -> None:
    async with migrated(settings) as database:
        differences = await drift(database)
        if values:
            await _report_unfit(database, most=None)
    for difference in differences:
        click.echo(difference)
    if differences:
        raise click.ClickException(f"The database differs from the models in {len(differences)} places")
    click.echo("The database is up to date.")


@db.command(name="prune")
@click.option("--dry-run", is_flag=True, help="Count the rows, and delete nothing.")
@json_option
@with_settings(
    "database_url",
    "event_retention_days",
    "run_retention_days",
    "token_retention_days",
    "webhook_delivery_retention_days",
)
def prune_(settings: Settings, *, dry_run: bool, as_json: bool) -> None:
    """Delete rows whose retention has ended. A running server does so every hour.

    These are events, finished runs, expired and revoked tokens, what is kept of deleted jobs, finished deliveries of
    webhooks, texts of saved queries that no run executed, and the answers to idempotency keys.
    """
    run(_prune(settings, is_dry=dry_run, as_json=as_json))


async def _prune(settings: Settings, *, is_dry: bool, as_json: bool) -> None:
    retention = retention_of(settings)
    async with migrated(settings) as database:
        if is_dry:
            counts = await prunable(database, retention)
        else:
            with resumable("delete the rest"):
                counts = await prune(database, retention)
    rows = [(name.replace("_", " "), _kept(retention, name), counts.get(name, 0)) for name in EXPIRING]
    columns = {"ROWS": "", "HOURS KEPT": "for ever", "TO DELETE" if is_dry else "DELETED": ""}
    show(columns, rows, as_json=as_json)


def _kept(retention: Retention, name: str) -> int | None:
    """Return the hours that rows are kept, or None for ever."""
    kept: timedelta | None = getattr(retention, name)
    return None if kept is None else kept // timedelta(hours=1)
