"""Copies of SQLite databases: whole ones, or none."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mainsheet.models.sqlite_copy import DatabaseOpen, NotCopied, checked_copy, closed, has_data, put, replace, revision

KILLED = """
import os, signal, sys
from pathlib import Path
from mainsheet.models.sqlite_copy import checked_copy, put
source, target = map(Path, sys.argv[1:])
with checked_copy(source, target, lambda percent: os.kill(os.getpid(), signal.SIGKILL)) as copy:
    put(copy, target)
"""


@pytest.fixture
def source(sqlite_demo_url: str) -> Path:
    return Path(sqlite_demo_url.removeprefix("sqlite:///"))


def ignored(_percent: int) -> None:
    pass


def organizations(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM organization").fetchone()[0])


def test_changes_between_the_steps_are_not_in_the_copy(source: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    before = organizations(source)

    def change(percent: int) -> None:
        steps.append(percent)
        with closing(sqlite3.connect(source)) as connection, connection:
            connection.execute("UPDATE organization SET name = name || 'x' WHERE 0 < length(name)")

    with closing(sqlite3.connect(source)) as server:
        server.execute("PRAGMA journal_mode = WAL")
        with checked_copy(source, tmp_path / "copy", change) as copy:
            put(copy, tmp_path / "copy")

    assert len(steps) > 2
    assert steps == sorted(steps)  # it didn't begin anew
    assert steps[-1] == 100
    with closing(sqlite3.connect(tmp_path / "copy")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM organization")}
    assert names == {"harbor", "lagoon"}
    assert before == organizations(source) == 2


def test_a_killed_copy_leaves_no_file_under_the_final_name(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "copy"
    target.parent.mkdir()

    killed = subprocess.run([sys.executable, "-c", KILLED, source, target], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert all(path.name.startswith(".copy-") for path in target.parent.iterdir())


def test_an_interrupted_copy_leaves_no_file(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "copy"
    target.parent.mkdir()

    def interrupt(_percent: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), checked_copy(source, target, interrupt):
        pass

    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000, b"SQLite format 3\0" + b"x" * 8000])
def test_a_file_that_is_no_database_of_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(NotCopied), checked_copy(tmp_path / "file", tmp_path / "copy", ignored) as copy:
        revision(copy)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_damaged_database_is_refused(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) // 2] + b"x" * 9000 + whole[len(whole) // 2 + 9000 :])

    with pytest.raises(NotCopied), checked_copy(source, tmp_path / "copy", ignored):
        pass


def test_a_database_that_is_open_is_not_replaced(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source)) as other, checked_copy(source, tmp_path / "copy", ignored) as copy:
        other.execute("SELECT count(*) FROM organization").fetchone()
        with pytest.raises(DatabaseOpen):
            replace(source, copy)

    assert not list(tmp_path.glob("*.old-*"))


def test_a_locked_database_is_not_taken_for_a_damaged_one(source: Path, tmp_path: Path) -> None:
    with checked_copy(source, tmp_path / "copy", ignored) as copy, closing(sqlite3.connect(source)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseOpen):
            replace(source, copy)

    assert not list(tmp_path.glob("*.old-*"))


def test_a_process_that_waits_for_a_replaced_database_leaves_no_log(source: Path, tmp_path: Path) -> None:
    to_wal = "PRAGMA journal_mode = WAL"
    with checked_copy(source, tmp_path / "copy", ignored) as copy, closing(sqlite3.connect(source, timeout=0)) as other:
        with closed(source):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute(to_wal)
            put(copy, source)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            other.execute(to_wal)

    assert not Path(f"{source}-wal").exists()
    assert organizations(source) == 2


def test_an_error_after_the_copy_does_not_blame_the_backup(source: Path, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), checked_copy(source, tmp_path / "copy", ignored):
        sqlite3.connect(tmp_path)


@pytest.mark.parametrize("forgets", ["", "DELETE FROM sqlite_sequence"])  # a database that never had an event
def test_each_restore_of_a_copy_skips_the_numbers_of_lost_events(source: Path, tmp_path: Path, forgets: str) -> None:
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(forgets)
    last = 0
    for _ in range(2):
        with checked_copy(source, tmp_path / "restored", ignored) as copy:
            replace(tmp_path / "restored", copy)
        with closing(sqlite3.connect(tmp_path / "restored")) as connection, connection:
            (before,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
            assert before >= last
            connection.execute("UPDATE sqlite_sequence SET seq = seq + 100 WHERE name = 'event'")
        last = before + 100


def test_a_damaged_database_is_replaced_and_kept_with_its_log(source: Path, tmp_path: Path) -> None:
    with checked_copy(source, tmp_path / "copy", ignored) as copy:
        source.write_bytes(b"damaged" * 1000)
        Path(f"{source}-wal").write_bytes(b"log")
        kept = replace(source, copy)

    assert kept == tmp_path / f"{source.name}.old-1"
    assert kept.read_bytes() == b"damaged" * 1000
    assert Path(f"{kept}-wal").read_bytes() == b"log"
    assert organizations(source) == 2
    assert has_data(source)
