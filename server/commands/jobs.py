import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mainsheet.server.commands.as_code import (
    NOTHING,
    PENDING,
    ExitingWith1Group,
    check_owner,
    confirm,
    done_shown,
    exit_code,
    force,
    format_,
    nothing_sent,
    run_remote,
    token,
    url,
)
from mainsheet.server.commands.file_errors import file_errors
from mainsheet.server.job_files import export as exports
from mainsheet.server.job_files import files, plan, report
from mainsheet.server.job_files.document import DOCUMENT
from mainsheet.server.job_files.json_schema import json_schema
from mainsheet.server.job_files.remote import Remote
from mainsheet.server.job_files.whole_file import write_whole

OWNER = ".organization"  # has the name of the organization from which the folder was exported
SCHEMA = ".job.schema.json"
HEADING = f"# yaml-language-server: $schema={SCHEMA}\n"
TITLE = "Jobs"
Option = Callable[[Any], Any]

directory: Option = click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
publish: Option = click.option(
    "--publish/--draft", default=True, show_default=True, help="Publish changed configurations, or only draft them."
)


@click.group(cls=ExitingWith1Group)
def jobs() -> None:
    """Jobs as code: export jobs of any server to YAML files, compare the files with a server, and apply them.

    Each command exits with 1 if it is used wrongly or the server can't be reached.
    """


@jobs.command()
@url
@token
@force
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def export(*, url: str, token: str, force: bool, directory: Path) -> None:
    """Write each job that the token sees to its file below DIR, or to DIR/KEY.yaml, and a JSON Schema for editors.

    A file that means the same already is left as it is, with its comments. Other files aren't removed. DIR is refused
    without --force if it was exported from another organization.
    """
    with file_errors():
        count = run_remote(url, token, lambda remote: _export(remote, directory, force=force))
    click.echo(f"Exported {count} jobs to {directory}.")


@jobs.command()
@url
@token
@publish
@format_
@directory
def diff(*, url: str, token: str, publish: bool, shown: str, directory: Path) -> None:
    """Show what `apply` would do with the files in DIR, and change nothing.

    Exits with 0 if there is nothing to do, 2 if there are changes, 1 if a file is refused or DIR has no job. A DIR
    that was exported may have none.
    """
    found = _files(directory)
    steps = _compared(url, token, found, publish=publish)
    click.echo(report.FORMATS[shown](steps, report.PLANNED, TITLE))
    sys.exit(exit_code(steps, pending=PENDING))


@jobs.command()
@url
@token
@publish
@click.option("--message", help="The reason for the changes, kept in the jobs' history.")
@click.option("--yes", is_flag=True, help="Don't ask before the changes are made.")
@format_
@directory
def apply(*, url: str, token: str, publish: bool, message: str | None, yes: bool, shown: str, directory: Path) -> None:
    """Create and change jobs so that they are what the files in DIR say. Jobs without a file aren't touched.

    Shows the plan and asks first. Exits with 0 if all is done or there is nothing to do, 2 if you decline, 1 if a file
    is refused (the others are applied) or DIR has no job. A DIR that was exported may have none.
    """
    found = _files(directory)
    planned = _compared(url, token, found, publish=publish)
    needed = [each.file for each in planned if each.outcome in {plan.CREATED, plan.CHANGED}]
    if needed and not yes:
        click.echo(report.text(planned, report.PLANNED, TITLE))
        confirm()

    done: list[plan.Step] = []

    async def work(remote: Remote) -> None:
        batches = plan.applied(remote, needed, publish=publish, message=message)
        await _collect(done, batches, len(needed), "Applied")

    with done_shown(lambda: report.text(done, report.DONE, TITLE)):
        run_remote(url, token, work)
    outcomes = {each.file.job_key: each for each in done}
    steps = [_after(each, outcomes.get(each.file.job_key)) for each in planned]
    click.echo(report.FORMATS[shown](steps, report.DONE, TITLE))
    sys.exit(exit_code(steps, pending=NOTHING))


@jobs.command()
def schema() -> None:
    """Print the JSON Schema of a job file."""
    click.echo(_schema(), nl=False)


def _schema() -> bytes:
    return json_schema(DOCUMENT, "A job")


def _files(directory: Path) -> Sequence[files.JobFile]:
    try:
        found = files.read(directory)
    except files.BadFiles as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise nothing_sent(directory, len(error.problems)) from None
    if not found and not (directory / OWNER).exists():  # an organization without jobs may have been exported
        suffixes = " or ".join(sorted(files.SUFFIXES))
        raise click.ClickException(f"There is no job in {directory}: no file ends in {suffixes}")
    return found


def _compared(url: str, token: str, found: Sequence[files.JobFile], *, publish: bool) -> Sequence[plan.Step]:
    async def work(remote: Remote) -> Sequence[plan.Step]:
        steps: list[plan.Step] = []
        await _collect(steps, plan.compared(remote, found, publish=publish), len(found), "Compared")
        return steps

    return run_remote(url, token, work)


async def _export(remote: Remote, directory: Path, *, force: bool) -> int:
    organization = (await remote.send(exports.ORGANIZATION))["organization"]["name"]
    _begin(directory, organization, force=force)
    count, paths = 0, files.paths_by_key(directory)
    async for document, hidden, deleted in exports.jobs(remote):
        count += 1
        job_key = document["jobKey"]
        path = paths.get(job_key) or files.new_path(directory, job_key)
        files.write(path, document, HEADING)
        for number, what in ((hidden, "you can't see"), (deleted, "was deleted")):
            if number:
                click.echo(f"{job_key}: left out {number} dependencies on a job that {what}.", err=True)
    return count


def _begin(directory: Path, organization: str, *, force: bool) -> None:
    """Make the directory, and note to which organization it belongs."""
    note = directory / OWNER
    owner = note.read_text("utf-8", errors="replace").strip() if note.exists() else None
    check_owner(directory, owner, organization, force=force)
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(note, f"{organization}\n")
    write_whole(directory / SCHEMA, _schema())


async def _collect(steps: list[plan.Step], batches: AsyncIterator[Sequence[plan.Step]], count: int, done: str) -> None:
    """Add the steps of all batches, and tell the progress if there are several."""
    async for batch in batches:
        steps += batch
        if count > len(batch):
            click.echo(f"{done} {len(steps)} of {count} jobs.", err=True)


def _after(planned: plan.Step, done: plan.Step | None) -> plan.Step:
    return planned if done is None else replace(done, differences=planned.differences)
