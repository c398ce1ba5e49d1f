"""The lock of a SQLite database: one server uses it, or one command that replaces it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mainsheet.models.errors import MainsheetError

SUFFIX = "-lock"  # beside SQLite's own -wal and -shm


class DatabaseInUse(MainsheetError):
    """A server uses the database, or a command that replaces it."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the database. It ends with the process. Raises `DatabaseInUse`.

    The lock is a file of its own: on some systems, a lock of the database's file would be in conflict with SQLite's.
    """
    path = path.resolve()
    file = path.with_name(path.name + SUFFIX)
    descriptor = _acquired(path, file)
    try:
        with suppress(OSError):  # the disk may be full: the number is only for the message of another process
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _acquired(path: Path, file: Path) -> int:
    """Lock the file. An earlier holder removes it at its end, so make sure that it is still there."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode() or "unknown"
            os.close(descriptor)
            raise DatabaseInUse(
                f"The database {path} is in use by process {holder}: SQLite is for one server, or one `db restore`"
            ) from None
        if _is_at(file, descriptor):
            return descriptor
        os.close(descriptor)


def _is_at(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
