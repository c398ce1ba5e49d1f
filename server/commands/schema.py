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
def check(old: Path | None) -> None:
    """Compare the code's schema with the committed one, or list the changes for clients since OLD.

    Exits with 1 if the committed schema differs, or if a change since OLD breaks clients. Removing what OLD marks as
    deprecated ("Use `x`. Removal on YYYY-MM-DD.") doesn't count as breaking from that day on.
    """
    if old is None:
        _check_committed()
    else:
        _check_changes(old)


def _check_committed() -> None:
    difference = sdl.difference()
    for line in difference:
        click.echo(line)
    if difference:
        raise click.ClickException("schema/schema.graphql isn't the code's schema: run `make schema`")


def _check_changes(old: Path) -> None:
    changes = _changes(old)
    for change in changes:
        click.echo(f"{change.level:<9}  {change.kind}  {change.description}")
    breaking = sum(change.level is sdl.Level.BREAKING for change in changes)
    if breaking:
        raise click.ClickException(f"{breaking} of {len(changes)} changes since {old} break clients")


def _changes(old: Path) -> Sequence[sdl.Change]:
    try:
        return sdl.changes_since(old.read_text("utf-8"))
    except (GraphQLError, TypeError, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise click.ClickException(f"{old} can't be read as a schema: {reason}") from None
