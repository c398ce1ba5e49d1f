"""Copies of SQLite databases, made beside a server that writes, and the replacement of a database by a copy."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

from mainsheet.models.errors import MainsheetError

PRIMARY = 0xFF  # these bits of an error's code are its kind
PAGES = 100  # of each step
BESIDE = ("-wal", "-shm", "-journal")  # the files that SQLite keeps beside a database
OURS = {"organization", "alembic_version"}  # of any version
HAS_EVENTS = "SELECT count(*) FROM sqlite_master WHERE name IN ('sqlite_sequence', 'event')"
START_NUMBERS = """INSERT INTO sqlite_sequence (name, seq)
  SELECT 'event', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event')"""
SKIP_NUMBERS = "UPDATE sqlite_sequence SET seq = max(seq + 1000000000, ?) WHERE name = 'event'"

Progress = Callable[[int], None]  # gets the percentage that is copied


class NotCopied(MainsheetError):
    """The database, or its copy, can't be used."""


class DatabaseOpen(MainsheetError):
    """Another process has the database open."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"Another process has the database {path} open: stop it first")


@contextmanager
def checked_copy(source: Path, target: Path, progress: Progress) -> Iterator[Path]:
    """Yield a copy of the database under a temporary name beside the target; it is removed unless it gets another name.

    Only its owner can read it. It is one file, and a state that the database had. Raises `NotCopied`.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(descriptor)
    try:
        with _failing_with(f"{source} can't be copied"):
            _copy(source, Path(name), progress)
        yield Path(name)
    finally:
        for suffix in ("", *BESIDE):
            Path(name + suffix).unlink(missing_ok=True)


@contextmanager
def _failing_with(sentence: str) -> Iterator[None]:
    """Convert errors of SQLite to `NotCopied`."""
    try:
        yield
    except sqlite3.Error as error:
        raise NotCopied(f"{sentence}: {error}") from None


def _copy(source: Path, to: Path, progress: Progress) -> None:
    with closing(_read_only(source)) as old, closing(sqlite3.connect(to, isolation_level=None)) as new:
        # All steps read one snapshot; without it, each change by another process would begin the copy anew.
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=PAGES, progress=lambda _, left, all_: progress(100 - 100 * left // max(all_, 1)))
        new.execute("PRAGMA journal_mode = DELETE")
        (result,) = new.execute("PRAGMA integrity_check(1)").fetchone()
    if result != "ok":
        raise NotCopied(f"{source} is damaged: {result}")


def revision(path: Path) -> str:
    """Return the revision of a database of ours. Raises `NotCopied`."""
    with _failing_with(f"{path} can't be read"), closing(_read_only(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall() if tables >= OURS else []
    if len(found) != 1:
        raise NotCopied(f"{path} isn't a database of Mainsheet")
    return str(found[0][0])


def has_data(path: Path) -> bool:
    """Return whether anything but empty tables of ours may be in the file. A damaged database counts as data."""
    if not path.exists():
        return False
    try:
        with closing(_read_only(path, timeout=0)) as connection:
            is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
            return not is_empty and connection.execute("SELECT id FROM organization LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True


def replace(path: Path, copy: Path) -> Path | None:
    """Put the copy in the place of the database. Return the name under which the old one is kept, if it has data.

    Raises `DatabaseOpen` and `NotCopied`.
    """
    kept = _free_name(path) if has_data(path) else None
    path.touch(0o600)  # a file can be locked
    keep_owner(path, copy)
    with _failing_with("The copy can't be changed"):
        _skip_numbers(copy)
    with closed(path):
        if kept:
            _keep(path, kept)
        put(copy, path)
    return kept


def _keep(path: Path, kept: Path) -> None:
    for suffix in BESIDE:  # a damaged database still has them
        if (beside := Path(f"{path}{suffix}")).exists():
            beside.rename(f"{kept}{suffix}")
    kept.hardlink_to(path)


def put(file: Path, at: Path) -> None:
    """Give a file its final name, which lasts also if the system fails right after."""
    file.replace(at)
    folder = os.open(at.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_only(path: Path, timeout: float = 5) -> sqlite3.Connection:
    """Open a database for reading. Its statements wait for a lock for at most `timeout` seconds."""
    url = f"file:{quote(str(path.resolve()))}?mode=ro"
    return sqlite3.connect(url, uri=True, isolation_level=None, timeout=timeout)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.old-{number}") for number in count(1))
    return next(name for name in names if not name.exists())


@contextmanager
def closed(path: Path) -> Iterator[None]:
    """Put the database into one file, and let no other process use it inside this context.

    If the file is replaced inside this context, SQLite refuses the changes of a process that waits for the old one, so
    that it leaves no log beside the new one. A damaged database is left as it is.

    Raises `DatabaseOpen` and `NotCopied`.
    """
    if _is_damaged(path):
        yield
        return
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        with _failing_with(f"The database {path} can't be replaced"), _refusing_open(path):
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            if connection.execute("PRAGMA journal_mode").fetchone() != ("delete",):  # changed back before it was locked
                raise DatabaseOpen(path)
        yield


def _is_damaged(path: Path) -> bool:
    try:
        with _refusing_open(path), closing(_read_only(path, timeout=0)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error:
        return True
    return False


@contextmanager
def _refusing_open(path: Path) -> Iterator[None]:
    """Convert the error that another process has a lock to `DatabaseOpen`."""
    try:
        yield
    except sqlite3.Error as error:
        if error.sqlite_errorcode & PRIMARY in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise DatabaseOpen(path) from None
        raise


def _skip_numbers(path: Path) -> None:
    """Let no new event get the number, and so the cursor, of one that this restore or an earlier one loses.

    The microseconds since 1970 are higher than all of them, unless the clock was set back.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        if connection.execute(HAS_EVENTS).fetchone() == (2,):
            connection.execute(START_NUMBERS)
            connection.execute(SKIP_NUMBERS, (time.time_ns() // 1000,))


def keep_owner(path: Path, copy: Path) -> None:
    """Give the copy the owner of the old file, so that the server, say, can open a database that root restored."""
    if os.geteuid() == 0:
        owner = path.stat()
        os.chown(copy, owner.st_uid, owner.st_gid)
