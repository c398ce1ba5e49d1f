"""From 0.2.0 on, the last release can serve a database of this version, and this version can bring it back."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from alembic.script import Script

from mainsheet.models.migration_script import sql_of
from mainsheet.models.revisions import migrations
from tests.releases.kept import RELEASES, changed_migrations, restore_sqlite, versions

WITHOUT_PROMISE = {"0.1.0"}  # it refuses all newer databases


def broken(later: Iterable[Script], released: str) -> list[str]:
    """Return what breaks the promise for the release whose newest revision is this one."""
    return [each for migration in later for each in _broken(migration, released)]


def _broken(migration: Script, released: str) -> list[str]:
    found = []
    if getattr(migration.module, "compatible_from", migration.revision) > released:
        found.append(f"{migration.revision} needs `compatible_from` {released} or older.")
    if not hasattr(migration.module, "downgrade"):
        found.append(f"{migration.revision} needs a `downgrade`.")
    return found


def test_migrations_since_the_last_release_keep_the_promise(tmp_path: Path) -> None:
    for version in sorted(set(versions()) - WITHOUT_PROMISE)[-1:]:
        restore_sqlite(version, tmp_path / "released.sqlite3")
        with closing(sqlite3.connect(tmp_path / "released.sqlite3")) as connection:
            (released,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        later = [each for revision, each in migrations().items() if revision > released]

        assert broken(later, released) == []
        assert all(sql_of(each) for each in later)


def test_released_migrations_never_change() -> None:
    """A database that has run one would differ from a new database."""
    for version in set(versions()) - WITHOUT_PROMISE:
        assert changed_migrations(RELEASES / version) == [], version


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("compatible_from = '0021'\ndef downgrade(): pass", []),
        ("compatible_from = '0022'\ndef downgrade(): pass", ["0023 needs `compatible_from` 0021 or older."]),
        ("", ["0023 needs `compatible_from` 0021 or older.", "0023 needs a `downgrade`."]),
    ],
)
def test_a_broken_promise_is_found(source: str, found: list[str]) -> None:
    module = ModuleType("migration")
    exec(f"down_revision = '0022'\n{source}", module.__dict__)

    assert broken([Script(module, "0023", "0023.py")], "0021") == found
