"""Shared by the commands that compare files with a server, and apply them to it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from mainsheet.server.job_files import files, plan, report
from mainsheet.server.job_files.remote import Failed, Remote

NOTHING, REFUSED, PENDING = 0, 1, 2
T = TypeVar("T")
Option = Callable[[Any], Any]


def _from_environment(name: str, variable: str, description: str) -> Option:
    """Return a required option that a variable can also give."""
    return click.option(name, envvar=variable, show_envvar=True, required=True, help=description)


url = _from_environment("--url", "MAINSHEET_URL", "The server's URL. Under a path, with /graphql.")
token = _from_environment(
    "--token",
    "MAINSHEET_TOKEN",
    "A bearer token with the scope READ to export, and WRITE to compare and apply; ADMIN for `mainsheet apply`.",
)
format_: Option = click.option(
    "--format", "shown", type=click.Choice(list(report.FORMATS)), default="text", show_default=True, help="The format."
)
force: Option = click.option("--force", is_flag=True, help="Overwrite files of another organization.")


def nothing_sent(path: Path, faults: int) -> click.ClickException:
    """Return the error for files with faults, which are printed before it."""
    return click.ClickException(f"{faults} {'fault' if faults == 1 else 'faults'} in {path}. Nothing was sent.")


@contextmanager
def _usage_errors_exit_with_1() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        sys.exit(REFUSED)


class _ExitingWith1:
    """Lets wrong usage exit with 1 instead of 2, which means that there are changes."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _usage_errors_exit_with_1():
            context: click.Context = super().make_context(*arguments, **options)  # type: ignore[misc]  # click's
            return context

    def invoke(self, context: click.Context) -> Any:
        with _usage_errors_exit_with_1():
            return super().invoke(context)  # type: ignore[misc]  # click's


class ExitingWith1(_ExitingWith1, click.Command): ...


class ExitingWith1Group(_ExitingWith1, click.Group): ...


def check_owner(path: Path, owner: str | None, organization: str, *, force: bool) -> None:
    """Refuse to overwrite files of another organization: one may have the wrong token or folder at hand."""
    if owner not in (None, organization) and not force:
        raise click.ClickException(
            f"{path} belongs to the organization {owner}, and the token to {organization}. Nothing was written."
            " Use --force to overwrite it."
        )


def run_remote(url: str, token: str, work: Callable[[Remote], Awaitable[T]]) -> T:
    async def connected() -> T:
        async with Remote(url, token) as remote:
            return await work(remote)

    try:
        return asyncio.run(connected())
    except (Failed, files.BadFiles) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def done_shown(done: Callable[[], str]) -> Iterator[None]:
    """If the server fails inside this context, or on Ctrl-C, print what was done until then, and exit."""
    try:
        yield
    except (click.ClickException, KeyboardInterrupt) as error:
        click.echo(done())
        if isinstance(error, click.ClickException):
            error.show()
        click.echo("Stopped: what comes next may have been done, and the rest wasn't. Apply again.", err=True)
        sys.exit(REFUSED)


def confirm() -> None:
    """Ask on the terminal whether to apply, and exit if the answer is no."""
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for confirmation: use --yes.")
    if not click.confirm("Apply?"):
        sys.exit(PENDING)


def exit_code(steps: Sequence[report.Step], *, pending: int) -> int:
    outcomes = {each.outcome for each in steps}
    if plan.REFUSED in outcomes:
        return REFUSED
    return pending if outcomes & {plan.CREATED, plan.CHANGED, plan.DELETED} else NOTHING
