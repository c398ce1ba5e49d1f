"""Lists and numbers for people, and lists as JSON for programs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import orjson

Columns = Mapping[str, str]  # headings, with the text that stands for None


def show(columns: Columns, rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """Print the rows. JSON has the headings in camel case as names, null, and times as RFC 3339 has them."""
    if as_json:
        objects = [dict(zip(map(_camel, columns), row, strict=True)) for row in rows]
        click.echo(orjson.dumps(objects, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
        return
    for line in table(tuple(columns), [tuple(map(_text, row, columns.values())) for row in rows]):
        click.echo(line)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align rows in columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def counted(count: int, noun: str) -> str:
    """Write a number and the noun, whose plural has an `s`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _text(value: Any, none: str) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    return none if value is None else str(value)


def _camel(heading: str) -> str:
    first, *others = heading.lower().split()
    return first + "".join(map(str.capitalize, others))
