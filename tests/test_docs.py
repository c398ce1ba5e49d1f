"""The documentation names only files and folders that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    page
    for pattern in ("*.md", "docs/**/*.md", "executor/*.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
    if page.name != "CHANGELOG.md"  # it names files that existed at the time
]
FOLDERS = (
    "models",
    "resolvers",
    "schema",
    "executor",
    "server",
    "demo",
    "tests",
    "testbed",
    "benchmarks",
    "docs",
    "examples",
    "playground",
)
PATH = re.compile(rf"(?<![\w/.])(?:{'|'.join(FOLDERS)})/[\w/.-]*\w(?:\.\w+)?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_paths_that_exist(page: Path) -> None:
    named = {each.rstrip(".") for each in PATH.findall(page.read_text("utf-8"))}

    assert {each for each in named if not (ROOT / each).exists()} == set()


def test_the_pattern_finds_paths() -> None:
    assert PATH.findall("see `models/job.py`, (docs/decisions) and server/http/.") == [
        "models/job.py",
        "docs/decisions",
        "server/http",
    ]
