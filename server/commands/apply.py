import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mainsheet.server.commands.as_code import (
    NOTHING,
    PENDING,
    ExitingWith1,
    confirm,
    done_shown,
    exit_code,
    format_,
    nothing_sent,
    run_remote,
    token,
    url,
)
from mainsheet.server.job_files import files, plan, report
from mainsheet.server.job_files.remote import Failed, Remote
from mainsheet.server.organization_files.applying import applied, checked
from mainsheet.server.organization_files.document import faults, normalized
from mainsheet.server.organization_files.plan import Plan, Step
from mainsheet.server.organization_files.state import read

TITLE = "Organization"
PLANNED = {**report.PLANNED, plan.DELETED: "to delete"}
DONE = {**report.DONE, plan.DELETED: "deleted"}
SHOWN = 20


@click.command(cls=ExitingWith1)
@url
@token
@click.option("--prune", is_flag=True, help="Delete what the file doesn't have; members and accounts are disabled.")
@click.option("--managed-by", metavar="NAME", help="Change what this system manages, too.")
@click.option("--message", help="The reason for the changes, kept in the events.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask before the changes are made.")
@format_
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(
    *,
    url: str,
    token: str,
    prune: bool,
    managed_by: str | None,
    message: str | None,
    dry_run: bool,
    yes: bool,
    shown: str,
    path: Path,
) -> None:
    """Make an organization's teams, clusters, members, service accounts and saved queries what FILE says.

    Shows the plan and asks first. What the file doesn't have stays, unless you use --prune. Sections that the file
    doesn't have stay in any case.

    Exits with 0 if all is done or there is nothing to do, 1 if a part is refused (the others are applied), 2 if there
    are changes and you decline or use --dry-run.
    """
    document = _document(path)

    async def planned(remote: Remote) -> Plan:
        state = await read(remote)
        if document.get("organization", state.organization) != state.organization:
            own, other = document["organization"], state.organization
            raise Failed(f"{path} is for the organization {own}, but the token is of {other}.")
        made = Plan(document, state, str(path), managed_by=managed_by, prune=prune)
        made.steps = list(await checked(remote, made.steps, made.ids))
        return made

    found = run_remote(url, token, planned)
    _tell_kept(found.kept)
    steps: Sequence[Step] = found.steps
    needed = [each for each in steps if each.outcome in {plan.CREATED, plan.CHANGED, plan.DELETED}]
    if needed and not dry_run:
        if not yes:
            click.echo(report.text(steps, PLANNED, TITLE))
            confirm()
        steps = _apply(url, token, found, message)
    click.echo(report.FORMATS[shown](steps, PLANNED if dry_run else DONE, TITLE))
    sys.exit(exit_code(steps, pending=PENDING if dry_run else NOTHING))


def _document(path: Path) -> dict[str, Any]:
    document, problems = files.checked(path, faults)
    for problem in problems:
        click.echo(f"{path}: {problem}", err=True)
    if problems:
        raise nothing_sent(path, len(problems))
    return normalized(document)


def _apply(url: str, token: str, found: Plan, message: str | None) -> Sequence[Step]:
    """Return the steps as they turned out."""
    done: list[Step] = []

    async def work(remote: Remote) -> None:
        async for each in applied(remote, found.steps, found.ids, message):
            done.append(each)  # noqa: PERF401 a failure must not lose what was done

    with done_shown(lambda: report.text(done, DONE, TITLE)):
        run_remote(url, token, work)
    return done


def _tell_kept(kept: Sequence[str]) -> None:
    if kept:
        more = f" and {len(kept) - SHOWN} others" if len(kept) > SHOWN else ""
        names = ", ".join(kept[:SHOWN]) + more
        click.echo(f"Not in the file, and kept: {names}. --prune removes them.", err=True)
