"""The schema as SDL: the code's, the committed one, and the changes for clients since a version."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from difflib import unified_diff
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

from graphql import REMOVE, Node, Visitor, build_ast_schema, build_schema, parse, print_ast, visit
from graphql.utilities import BreakingChange, DangerousChange, SafeChange, SchemaChange, find_schema_changes

from mainsheet.schema.api import api

ANNOUNCED = re.compile(r"Removal on (\d{4}-\d\d-\d\d)\.")


class Level(StrEnum):
    """The effect of a change on clients, the worst first."""

    BREAKING = "breaking"
    ANNOUNCED = "announced"
    DANGEROUS = "dangerous"
    SAFE = "safe"


LEVELS = {BreakingChange: Level.BREAKING, DangerousChange: Level.DANGEROUS, SafeChange: Level.SAFE}


class Change(NamedTuple):
    level: Level
    kind: str
    description: str


def current() -> str:
    return api.as_str().rstrip() + "\n"


def committed() -> str:
    """Return the committed SDL, or an empty text if there is none."""
    file = files("mainsheet.schema") / "schema.graphql"
    return file.read_text("utf-8") if file.is_file() else ""


def difference() -> Sequence[str]:
    """Return a diff from the committed SDL to the code's, empty if they are equal."""
    old, new = committed().splitlines(), current().splitlines()
    return list(unified_diff(old, new, "schema/schema.graphql", "the code", lineterm=""))


def changes_since(old: str) -> Sequence[Change]:
    """Return the changes for clients, the worst first. Raises graphql-core's error if the old SDL is invalid."""
    new, today = build_schema(current()), datetime.now(UTC).date()
    document = parse(old)
    changes = find_schema_changes(build_ast_schema(document), new)
    unannounced = find_schema_changes(build_ast_schema(visit(document, _Due(today))), new)
    leveled = [_change(each, is_announced=each not in unannounced) for each in changes]
    return sorted(leveled, key=lambda change: (list(Level).index(change.level), change.description))


def _change(change: SchemaChange, *, is_announced: bool) -> Change:
    level = LEVELS[type(change)]
    if is_announced and level is Level.BREAKING:
        level = Level.ANNOUNCED
    return Change(level, change.type.name, change.description)


class _Due(Visitor):
    """Removes deprecated elements whose announced removal date has come."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def enter(self, node: Node, *_: Any) -> Any:
        deprecations = [each for each in getattr(node, "directives", None) or () if each.name.value == "deprecated"]
        days = [day for each in deprecations for day in ANNOUNCED.findall(print_ast(each))]
        return REMOVE if any(date.fromisoformat(day) <= self._today for day in days) else None
