"""Changes for clients since an older schema, and since the last release."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mainsheet.server.cli import main

ROOT = Path(__file__).parents[2]
SDL = (ROOT / "schema/schema.graphql").read_text("utf-8")
PAGE_INFO = "type PageInfo {"
PAUSED = '  """The schedule is paused. The job can still be run manually."""\n  PAUSED\n'
NEXT = '  """The cursor of the first item. Null if the page is empty."""\n  startCursor: String\n'
PAGES = f"{PAGE_INFO}\n  pages: Int"
UNTIL_2026, UNTIL_2999 = (f'{PAGES} @deprecated(reason: "Use `x`. Removal on {each}-01-01.")' for each in (2026, 2999))


def checked(older: Path) -> Result:
    return CliRunner().invoke(main, ["schema", "check", str(older)])


@pytest.mark.parametrize(
    ("now", "before", "said", "exit_code"),
    [
        pytest.param(PAGE_INFO, PAGES, r"breaking +FIELD_REMOVED .*PageInfo\.pages", 1, id="a removal"),
        pytest.param(PAGE_INFO, UNTIL_2999, "breaking .*pages", 1, id="one before its day"),
        pytest.param(PAGE_INFO, UNTIL_2026, "announced .*pages", 0, id="one after its day"),
        pytest.param(PAUSED, "", "dangerous +VALUE_ADDED_TO_ENUM .*PAUSED", 0, id="a new value"),
        pytest.param(NEXT, "", r"safe +FIELD_ADDED .*PageInfo\.startCursor", 0, id="a new field"),
    ],
)
def test_changes_since_an_older_schema_are_listed(
    tmp_path: Path, now: str, before: str, said: str, exit_code: int
) -> None:
    older = tmp_path / "older.graphql"
    older.write_text(SDL.replace(now, before, 1), "utf-8")
    assert older.read_text("utf-8") != SDL

    result = checked(older)

    assert re.match(said, result.stdout), result
    assert result.exit_code == exit_code


def test_a_removed_name_is_listed_with_new_names_like_it(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("old.graphql", "new.graphql")]
    files[0].write_text("type Query { oldName: Kind } enum Kind { QUERY_LOST }", "utf-8")
    files[1].write_text("type Query { newName: Kind other: Kind } enum Kind { SAVED_QUERY_LOST }", "utf-8")

    result = CliRunner().invoke(main, ["schema", "check", *map(str, files)])

    assert result.exit_code == 1
    assert "Enum value Kind.QUERY_LOST was removed. New: SAVED_QUERY_LOST.\n" in result.stdout
    assert "Field Query.oldName was removed. New: newName.\n" in result.stdout
    assert result.stderr == f"Error: 2 of 5 changes since {files[0]} break clients\n"


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not a schema {", "Syntax Error"),
        ("", "Syntax Error: Unexpected <EOF>"),
        ("query { me { id } }", "Query root type must be provided"),
    ],
)
def test_an_invalid_schema_prints_one_line(tmp_path: Path, text: str, said: str, *, is_new: bool) -> None:
    files = [tmp_path / name for name in ("old.graphql", "new.graphql")]
    for file, content in zip(files, (SDL, text) if is_new else (text, SDL), strict=True):
        file.write_text(content, "utf-8")

    result = CliRunner().invoke(main, ["schema", "check", *map(str, files)])

    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(rf"Error: .* can't be read as a schema: {said}.*\n", result.stderr)


@pytest.mark.parametrize(
    ("version", "release"),
    [("1.11.0", "1.10.0"), ("1.0.1", "1.10.0"), ("3.0.0", None), ("0.9.1", "0.9.0"), ("0.10.0", None)],
)
def test_a_change_is_checked_against_the_last_release_of_its_series(
    tmp_path: Path, version: str, release: str | None
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").write_text(f'version = "{version}"\n', "utf-8")
    for each in ("0.9.0", "1.9.0", "1.10.0", "2.0.0"):
        (tmp_path / "releases" / each).mkdir(parents=True)
        (tmp_path / "releases" / each / "schema.graphql").touch()

    planned = subprocess.check_output(["make", "-n", "-o", ".venv/.installed", "check"], cwd=tmp_path, text=True)

    compared = re.findall(r"schema check (\S+)", planned)
    assert compared == ([f"releases/{release}/schema.graphql"] if release else [])
