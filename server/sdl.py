"""The schema as text: what the code says, what is committed, and what changed for clients since a version."""

from collections.abc import Sequence
from difflib import unified_diff
from importlib.resources import files

from graphql import build_schema
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    SafeChange,
    SchemaChange,
    find_schema_changes,
)

from schema.api import api

WORST_FIRST = (BreakingChange, DangerousChange, SafeChange)


def current() -> str:
    return api.as_str().rstrip() + "\n"


def committed() -> str:
    """Return the text that is kept beside the code; nothing where there is none yet."""
    file = files("schema") / "schema.graphql"
    return file.read_text("utf-8") if file.is_file() else ""


def difference() -> Sequence[str]:
    """Return a diff from the committed text to the code's; nothing when they are equal."""
    old, new = committed().splitlines(), current().splitlines()
    return list(unified_diff(old, new, "schema/schema.graphql", "the code", lineterm=""))


def changes_since(old: str) -> Sequence[SchemaChange]:
    """Return what changed for clients, the worst first; raise what graphql-core says of a bad text."""
    changes = find_schema_changes(build_schema(old), build_schema(current()))
    return sorted(changes, key=lambda change: (WORST_FIRST.index(type(change)), change.description))
