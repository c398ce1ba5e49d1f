"""Which files `mainsheet db backup` writes, and `db restore` reads."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from testbed.databases import execute
from tests.server.commands import invoke
from tests.server.test_backup import PATH
from tests.server.test_cli import refused


def test_a_database_that_could_not_be_restored_is_not_copied(sqlite_url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DROP TABLE organization")

    said = refused(invoke("db", "backup", f"{tmp_path}/copy", MAINSHEET_DATABASE_URL=sqlite_url))

    assert said == f"{sqlite_url.removeprefix('sqlite:///')} isn't a database of Mainsheet"
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("content", [b"nonsense", b""])
def test_a_file_that_is_no_backup_is_named_before_the_databases_data(
    demo_url: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "file").write_bytes(content)

    said = refused(invoke("db", "restore", f"{tmp_path}/file", PATH=PATH, MAINSHEET_DATABASE_URL=demo_url))

    is_no_backup = "can't be read: file is not a database" if content else "isn't a database of Mainsheet"
    assert said == f"{tmp_path}/file {is_no_backup}" if "sqlite" in demo_url else "input file" in said


def test_the_name_of_a_backup_may_begin_with_a_hyphen(
    demo_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"PATH": PATH, "MAINSHEET_DATABASE_URL": demo_url}
    monkeypatch.chdir(tmp_path)
    assert invoke("db", "backup", "./-odd", **own).returncode == 0
    if demo_url.startswith("postgresql"):
        asyncio.run(execute(demo_url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))

    restored = invoke("db", "restore", "--force", "./-odd", **own)

    assert (restored.returncode, restored.stderr) == (0, "")
    assert invoke("db", "check", **own).returncode == 0


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal", "-lock"])
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_the_files_beside_a_database_are_no_backups(
    sqlite_demo_url: str, tmp_path: Path, suffix: str, command: str
) -> None:
    database = Path(sqlite_demo_url.removeprefix("sqlite:///"))
    beside = Path(f"{database}{suffix}")
    link = tmp_path / "link"
    link.symlink_to(beside)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE organization SET name = name || '!'")
        connection.commit()
        beside.touch()

        for file in (beside, link):
            said = refused(invoke("db", command, str(file), "--force", MAINSHEET_DATABASE_URL=sqlite_demo_url))
            assert said == f"{file} is a file of the database itself"
    with closing(sqlite3.connect(database)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM organization")}
    assert names == {"harbor!", "lagoon!"}
