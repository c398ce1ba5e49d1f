"""The files of a SQLite database: who may read them, and that one server uses them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.server.commands import PATIENCE, Serving, expect_no_traceback, invoke, mainsheet, serving

PRIVATE = 0o600


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.fixture
def served(sqlite_url: str) -> Iterator[Serving]:
    with serving("--database-url", sqlite_url) as server:
        yield server


def test_only_its_owner_can_read_a_new_database(tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite3"

    assert invoke("db", "upgrade", "--database-url", f"sqlite:///{file}").returncode == 0

    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE feed SET epoch = epoch")  # makes -wal and -shm
        assert modes(tmp_path) == dict.fromkeys(("new.sqlite3", "new.sqlite3-wal", "new.sqlite3-shm"), PRIVATE)


def test_the_name_of_a_database_may_have_encoded_characters(tmp_path: Path) -> None:
    upgraded = invoke("db", "upgrade", "--database-url", f"sqlite:///{tmp_path}/q%3Fird%20%25.sqlite3")

    assert upgraded.returncode == 0
    assert set(modes(tmp_path)) == {"q?ird %.sqlite3"}


@pytest.mark.parametrize(("mode", "is_named"), [(0o644, True), (0o640, True), (0o600, False)])
def test_serve_names_a_database_that_others_can_open(sqlite_url: str, mode: int, *, is_named: bool) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    file.chmod(mode)

    log = file.with_name("log")
    with log.open("w") as stderr, serving("--database-url", sqlite_url, log=stderr) as server:
        assert server.stop() == 0

    assert (f"run `chmod 600 {file}*`" in log.read_text()) is is_named


def test_a_second_server_on_the_same_database_is_refused(served: Serving, sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sqlite_url.removeprefix("sqlite:///"))

    for url in (sqlite_url, f"sqlite:///{tmp_path}/link"):
        second = mainsheet("serve", "--port", "0", "--database-url", url)

        assert second.returncode == 1
        assert second.stderr.splitlines()[-1].startswith("Error: The database ")
        assert f"is in use by process {served.process.pid}: SQLite is for one server" in second.stderr
        expect_no_traceback(second.stderr)
    assert mainsheet("db", "check", "--database-url", sqlite_url).returncode == 0  # commands may work beside it


def test_the_lock_ends_with_the_server(served: Serving, sqlite_url: str, tmp_path: Path) -> None:
    served.process.kill()
    served.process.wait(PATIENCE)

    with serving("--database-url", sqlite_url) as server:
        assert server.stop() == 0
    assert not list(tmp_path.glob("*-lock"))
