"""`make release` stores this version so that later ones can upgrade it."""

from pathlib import Path

import pytest

from mainsheet.models.database import Database
from mainsheet.models.migrate import drift, upgrade
from testbed.databases import postgres_database
from tests.releases.kept import (
    CHECKSUMS,
    SCHEMA,
    changed_migrations,
    obstacles,
    restore_postgresql,
    restore_sqlite,
    store,
)
from tests.releases.rows import every_row, lost

LARGEST_BYTES = 1_000_000
ONLY_AFTER_A_FAILOVER = {"wal_timeline"}
DATED = "## [9.9.9] - 2026-11-27\n"


async def test_this_version_can_be_stored_and_restored(tmp_path: Path, postgres_server: str) -> None:
    wheel = tmp_path / "mainsheet-9.9.9-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")

    await store("9.9.9", wheel, postgres_server, tmp_path)

    stored = {each.name: each for each in (tmp_path / "9.9.9").iterdir()}
    assert stored[wheel.name].read_bytes() == wheel.read_bytes()
    assert sum(each.stat().st_size for each in stored.values()) < LARGEST_BYTES
    assert_migrations_are_compared(tmp_path / "9.9.9")
    assert stored["schema.graphql"].read_text("utf-8") == SCHEMA.read_text("utf-8")
    async with postgres_database(postgres_server) as url:
        restore_postgresql("9.9.9", url, tmp_path)
        for restored in (url, restore_sqlite("9.9.9", tmp_path / "restored.sqlite3", tmp_path)):
            database = Database.open(restored)
            await upgrade(database)
            assert await drift(database) == []
            rows = await every_row(database)
            assert {table for table, own in rows.items() if not own} <= ONLY_AFTER_A_FAILOVER
            assert lost({"team": rows["team"]}, {"team": rows["team"][1:]}) == ["team"]
            assert lost(rows, {**rows, "team": list(reversed(rows["team"]))}) == []
            await database.close()


async def test_a_release_that_fails_leaves_nothing(tmp_path: Path) -> None:
    wheel = tmp_path / "mainsheet-9.9.9-py3-none-any.whl"
    wheel.touch()

    with pytest.raises(OSError, match="No such file or directory"):
        await store("9.9.9", wheel, f"postgresql:///postgres?host={tmp_path}", tmp_path)

    assert names(tmp_path) == [wheel.name]


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def assert_migrations_are_compared(folder: Path) -> None:
    """A migration that was edited or removed since the release is found."""
    assert changed_migrations(folder) == []
    checksums = folder / CHECKSUMS
    first, *others = checksums.read_text("utf-8").splitlines()
    digest, name = first.split()
    edited = [first.replace(digest, "0" * 64), *others, f"{'1' * 64}  9999_removed.py"]
    checksums.write_text("\n".join(edited), "utf-8")
    assert changed_migrations(folder) == [name, "9999_removed.py"]


@pytest.mark.parametrize(
    ("version", "changelog", "obstacle"),
    [
        ("0.1.0", "## [0.1.0] - 2026-11-24\n", "0.1.0 was released before. Set the next version in pyproject.toml."),
        ("9.9.9", "## [Unreleased]\n", "CHANGELOG.md has no heading `## [9.9.9] - YYYY-MM-DD`."),
        ("9.9.9", "## [9.9.9]\n", "CHANGELOG.md has no heading `## [9.9.9] - YYYY-MM-DD`."),
    ],
)
def test_a_release_needs_a_new_version_with_a_dated_section(version: str, changelog: str, obstacle: str) -> None:
    assert obstacles(version, changelog) == [obstacle]
    assert obstacles("9.9.9", DATED) == []
