"""CHANGELOG.md has every change of the schema that breaks clients, in the section of its release."""

import re
from itertools import pairwise
from pathlib import Path

from mainsheet.server.operations.sdl import Level, changes_since
from tests.releases.kept import RELEASES, ROOT, SCHEMA, versions

SECTION = re.compile(r"^## \[(?P<name>[^]]+)\]", re.MULTILINE)
# The last name in "Field Job.history was removed." or "Argument Job.runs(statuses:) has changed type from …".
CHANGED = re.compile(r"(\w+)(?::\))? (?:was removed|(?:has )?changed type)\b")


def test_the_changelog_names_what_breaks_clients() -> None:
    stored = [(version, RELEASES / version / SCHEMA.name) for version in versions()]
    for (_, old), (version, new) in pairwise([*stored, ("Unreleased", SCHEMA)]):
        described = set(re.findall(r"\w+", section(version).partition("### Added")[0]))

        assert broken_names(old, new) - described == set(), version


def broken_names(old: Path, new: Path) -> set[str]:
    changes = changes_since(old.read_text("utf-8"), new.read_text("utf-8"))
    breaking = [each.description for each in changes if each.level is Level.BREAKING]
    names = {each: set(CHANGED.findall(each)) for each in breaking}
    assert all(names.values()), [each for each, found in names.items() if not found]
    return set().union(*names.values())


def section(name: str) -> str:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    starts = {found["name"]: found.end() for found in SECTION.finditer(text)}
    return SECTION.split(text[starts[name] :], maxsplit=1)[0]
