from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from mainsheet.demo import seed_demo, seed_jobs
from mainsheet.models.retention import EXPIRING, Retention, prunable, prune
from mainsheet.server.commands.backup import backup, restore
from mainsheet.server.commands.migrations import check, downgrade_, status, upgrade_
from mainsheet.server.commands.options import json_option, with_settings
from mainsheet.server.commands.progress import progress_bar
from mainsheet.server.commands.running import migrated, resumable, run
from mainsheet.server.commands.table import show
from mainsheet.server.process.pruner import retention_of
from mainsheet.server.settings import Settings


@click.group()
def db() -> None:
    """The database."""


for command in (backup, check, downgrade_, restore, status, upgrade_):
    db.add_command(command)


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
