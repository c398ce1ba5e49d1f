from collections.abc import Sequence
from pathlib import Path

import click
from graphql import GraphQLError

from mainsheet.server.operations import sdl


@click.group()
def schema() -> None:
    """The GraphQL schema."""


@schema.command(name="print")
def print_() -> None:
    """Print the schema in GraphQL's definition language."""
    click.echo(sdl.current(), nl=False)


@schema.command()
@click.argument("old", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(old: Path | None, new: Path | None) -> None:
    """Compare the code's schema with the committed one, or list the changes for clients since OLD.

    With NEW, lists the changes from one file to the other. A line about a removed name also has new names like it, of
    which one may be what to write instead; CHANGELOG.md says it for sure.

    Exits with 1 if the committed schema differs, or if a change since OLD breaks clients. Removing what OLD marks as
    deprecated ("Use `x`. Removal on YYYY-MM-DD.") doesn't count as breaking from that day on.
    """
    if old is None:
        _check_committed()
    else:
        _check_changes(old, new)


def _check_committed() -> None:
    difference = sdl.difference()
    for line in difference:
        click.echo(line)
    if difference:
        raise click.ClickException("schema/schema.graphql isn't the code's schema: run `make schema`")


def _check_changes(old: Path, new: Path | None) -> None:
    changes = _changes(old, new)
    for change in changes:
        instead = f" New: {', '.join(change.instead)}." if change.instead else ""
        click.echo(f"{change.level:<9}  {change.kind}  {change.description}{instead}")
    breaking = sum(change.level is sdl.Level.BREAKING for change in changes)
    if breaking:
        raise click.ClickException(f"{breaking} of {len(changes)} changes since {old} break clients")


def _changes(old: Path, new: Path | None) -> Sequence[sdl.Change]:
    try:
        old_text = old.read_text("utf-8")
        new_text = None if new is None else new.read_text("utf-8")
        return sdl.changes_since(old_text, new_text)
    except (GraphQLError, TypeError, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")
        files = " or ".join(map(str, filter(None, (old, new))))
        raise click.ClickException(f"{files} can't be read as a schema: {reason}") from None
