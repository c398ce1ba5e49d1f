"""The schema as SDL: the code's, the committed one, and the changes for clients since a version."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches, unified_diff
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

from graphql import REMOVE, Node, Visitor, assert_valid_schema, build_ast_schema, build_schema, parse, print_ast, visit
from graphql.utilities import BreakingChange, DangerousChange, SafeChange, SchemaChange, find_schema_changes

from mainsheet.schema.api import api

MEMBER = r"(?:(?P<owner>\w+)\.)?(?P<name>\w+)"
REMOVED, ADDED = re.compile(rf"{MEMBER} was removed"), re.compile(rf"{MEMBER} was added")
ALIKE = 0.55  # how similar two names are, from 0 to 1
ANNOUNCED = re.compile(r"Removal on (\d{4}-\d\d-\d\d)\.")


class Level(StrEnum):
    """The effect of a change on clients, the worst first."""

    BREAKING = "breaking"
    ANNOUNCED = "announced"
    DANGEROUS = "dangerous"
    SAFE = "safe"


LEVELS = {BreakingChange: Level.BREAKING, DangerousChange: Level.DANGEROUS, SafeChange: Level.SAFE}


class Change(NamedTuple):
    """A change for clients. `instead` has the names that were added in place of one that was removed, best first."""

    level: Level
    kind: str
    description: str
    instead: Sequence[str] = ()


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


def changes_since(old: str, to: str | None = None) -> Sequence[Change]:
    """Return the changes for clients from the old SDL to another, or to the code's, the worst first.

    Raises graphql-core's errors if an SDL is invalid.
    """
    new, today = build_schema(current() if to is None else to), datetime.now(UTC).date()
    document = parse(old)
    for each in (build_ast_schema(document), new):
        assert_valid_schema(each)  # a document of operations alone would be taken for an empty schema
    changes = find_schema_changes(build_ast_schema(document), new)
    unannounced = find_schema_changes(build_ast_schema(visit(document, _Due(today))), new)
    added = _added(changes)
    leveled = [_change(each, added, is_announced=each not in unannounced) for each in changes]
    return sorted(leveled, key=lambda change: (list(Level).index(change.level), change.description))


def _change(change: SchemaChange, added: Mapping[str, Sequence[str]], *, is_announced: bool) -> Change:
    level = LEVELS[type(change)]
    if is_announced and level is Level.BREAKING:
        level = Level.ANNOUNCED
    instead: Sequence[str] = ()
    if removed := REMOVED.search(change.description):
        instead = get_close_matches(removed["name"], added.get(removed["owner"] or "", ()), cutoff=ALIKE)
    return Change(level, change.type.name, change.description, instead)


def _added(changes: Sequence[SchemaChange]) -> Mapping[str, Sequence[str]]:
    """Return the names of the added members by type, and those of the added types under an empty name."""
    added: dict[str, list[str]] = {}
    for found in filter(None, (ADDED.search(each.description) for each in changes)):
        added.setdefault(found["owner"] or "", []).append(found["name"])
    return added


class _Due(Visitor):
    """Removes deprecated elements whose announced removal date has come."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def enter(self, node: Node, *_: Any) -> Any:
        deprecations = [each for each in getattr(node, "directives", None) or () if each.name.value == "deprecated"]
        days = [day for each in deprecations for day in ANNOUNCED.findall(print_ast(each))]
        return REMOVE if any(date.fromisoformat(day) <= self._today for day in days) else None
