"""Rules for the code: imports between layers, what only some modules may do, and the length of files."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("demo", "executor", "models", "resolvers", "schema", "server")
LONGEST = 300
LONGER_FOR_A_REASON = {
    "models/migrations/versions/0001_initial.py",  # all tables of the first release
}
READS_THE_PROCESS_CLOCK = {
    "models/clock.py",  # for SQLite, which has no clock of its own
    "demo/seed.py",  # the demo's history is relative to now
    "models/ids.py",  # an id needs no exact time
    "models/schedule.py",  # whether a schedule ever fires needs no exact time
    "resolvers/schedule.py",  # a preview of fire times
    "server/operations/sdl.py",  # a day on which a field may be removed
}
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_the_layers_are_kept() -> None:
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert lint.returncode == 0, lint.stdout


def test_imports_in_functions_have_a_reason() -> None:
    """An import in a function hides a cycle. Ruff's PLC0415 finds it, and a noqa must give the reason."""
    silenced = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in FILES
        for line in path.read_text().splitlines()
        if "noqa: PLC0415" in line and not line.partition("noqa: PLC0415")[2].strip()
    ]

    assert silenced == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_300_lines(path: Path) -> None:
    lines = len(path.read_text().splitlines())

    assert lines <= LONGEST or str(path.relative_to(ROOT)) in LONGER_FOR_A_REASON


def test_each_exception_to_the_length_is_needed() -> None:
    assert {name for name in LONGER_FOR_A_REASON if len((ROOT / name).read_text().splitlines()) <= LONGEST} == set()


def test_only_commands_import_jobs_in_server() -> None:
    """Only the commands, which assemble the application, may import the API and the demo data."""
    known = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / "server").rglob("*.py")
        if "commands" not in path.parts
        for name in _imported(path)
        if name.startswith(("mainsheet.models.job", "mainsheet.resolvers.job", "mainsheet.demo"))
    }

    assert known == set()


def test_the_process_clock_is_read_only_for_a_reason() -> None:
    known = {str(path.relative_to(ROOT)) for path in FILES if "datetime.now(" in path.read_text()}

    assert known <= READS_THE_PROCESS_CLOCK


def test_there_is_no_utils_module() -> None:
    assert [path for path in FILES if path.stem in {"utils", "util", "helpers", "common", "misc"}] == []


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
