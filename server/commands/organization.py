import sys
from collections import Counter

import click

from mainsheet.models.database import Database
from mainsheet.models.organization_deletion import Counted, delete_organization, organizations
from mainsheet.models.organization_deletion import organization as organization_of
from mainsheet.server.commands.options import json_option, with_settings
from mainsheet.server.commands.running import migrated, resumable, run
from mainsheet.server.commands.table import counted, show
from mainsheet.server.settings import Settings

COLUMNS = dict.fromkeys(("ID", "NAME", "MEMBERS", "SERVICE ACCOUNTS", "JOBS", "RUNS"), "")


@click.group()
def organization() -> None:
    """The organizations of the database."""


@organization.command(name="list")
@json_option
@with_settings("database_url")
def list_(settings: Settings, *, as_json: bool) -> None:
    """Print all organizations by name."""
    run(_list(settings, as_json=as_json))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with migrated(settings) as database:
        found = await organizations(database)
    show(COLUMNS, [_cells(each) for each in found], as_json=as_json)


def _cells(of: Counted) -> tuple[str | int, ...]:
    return of.id, of.name, of.members, of.service_accounts, of.jobs, of.runs


@organization.command()
@click.argument("organization_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask for the name before anything is deleted.")
@with_settings("database_url")
def delete(settings: Settings, *, organization_id: str, yes: bool) -> None:
    """Delete the organization with this ID, with everything that it has. This can't be undone.

    Its members and tokens lose access first. Then rows are deleted in batches, beside a running server. If the command
    is interrupted, run it again.
    """
    run(_delete(settings, organization_id, is_confirmed=yes))


async def _delete(settings: Settings, organization_id: str, *, is_confirmed: bool) -> None:
    async with migrated(settings) as database:
        found = await organization_of(database, organization_id)
        if not is_confirmed:
            _confirm(found)
        with resumable("delete the rest"):
            deleted = await _deleted(database, organization_id)
    rows = sum(deleted.values())
    click.echo(f"Deleted the organization {found.name}, {found.id}: {counted(rows, 'row')}, and those that they had.")


def _confirm(found: Counted) -> None:
    members, jobs, runs = counted(found.members, "member"), counted(found.jobs, "job"), counted(found.runs, "run")
    has = f"has {members}, {jobs} and {runs}"
    click.echo(f"The organization {found.name}, {found.id}, {has}. Deleting it can't be undone.")
    if _typed("Type its name to delete it") != found.name:
        raise click.ClickException("The name is another one. Nothing was deleted.")


def _typed(question: str) -> str:
    try:
        return str(click.prompt(question, default="", show_default=False))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("There is no terminal to ask for the name: use --yes.") from None


async def _deleted(database: Database, organization_id: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    async for batch in delete_organization(database, organization_id):
        counts.update(batch)
    return counts
