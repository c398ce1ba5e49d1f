"""Distinguishes failures of the database from errors of a statement."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from mainsheet.models.unavailable import DatabaseDown, DiskFull, Locked, NoConnection, ReadOnly, TooSlow, Unavailable

# SQLSTATEs (PostgreSQL's documentation, appendix A) and names of SQLite's result codes. The longest prefix wins.
MEANINGS: dict[str, type[Unavailable]] = {
    "08": DatabaseDown,  # the connection was lost, or is refused
    "25006": ReadOnly,  # it became a standby, or its administrator made it read-only
    "25P03": DatabaseDown,  # we were idle within a transaction for too long
    "28": DatabaseDown,  # the password was changed
    "40001": Locked,  # again and again
    "40P01": Locked,
    "3D000": DatabaseDown,  # there is no such database any more
    "53": DatabaseDown,  # no memory or connection left
    "53100": DiskFull,
    "55P03": Locked,
    "57014": TooSlow,
    "57P": DatabaseDown,  # it shuts down, or starts
    "58": DatabaseDown,  # the disk fails
    "SQLITE_BUSY": Locked,
    "SQLITE_CANTOPEN": DatabaseDown,
    "SQLITE_CORRUPT": DatabaseDown,
    # Certain even at a commit: the frame that commits a change is written last, so it is missing. With SQLITE_IOERR
    # it may have been written before a sync failed (SQLite's wal.c, `walFrames`).
    "SQLITE_FULL": DiskFull,
    "SQLITE_IOERR": DatabaseDown,
    "SQLITE_LOCKED": Locked,
    "SQLITE_NOTADB": DatabaseDown,
    "SQLITE_READONLY": ReadOnly,
}
COLLISIONS = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    # The next attempt finds the row that a concurrent transaction inserted or deleted, and reports it as a user error.
    "23505",  # unique_violation
    "23503",  # foreign_key_violation
    "SQLITE_BUSY",
    "SQLITE_BUSY_SNAPSHOT",
    "SQLITE_LOCKED",
}
OUTDATED = "0A000"  # PostgreSQL's feature_not_supported: "cached plan must not change result type"
INVALID_TEXT = "22021"  # PostgreSQL's character_not_in_repertoire, for U+0000
# asyncpg's errors without a code: two for a lost connection, and one for a server that isn't the primary.
LOST = ("connection is closed", "cannot switch to state", "match the target attribute")


@contextmanager
def failures_named() -> Iterator[None]:
    """Convert database failures to `Unavailable`. Wrap only database calls: any `OSError` counts as the database's."""
    try:
        yield
    except Exception as error:
        failure = failure_of(error)
        if failure is None or failure is error:
            raise
        raise failure from error


@contextmanager
def failures_passed_over() -> Iterator[None]:
    """Suppress database failures during cleanup, when the result is already known."""
    try:
        yield
    except Exception as error:
        if failure_of(error) is None:
            raise


def failure_of(error: Exception) -> Unavailable | None:
    """Return the failure that a driver's error stands for, or None if the error is about the statement."""
    match error:
        case Unavailable():
            return error
        case exc.TimeoutError():
            return NoConnection()
        case OSError():  # includes the driver's timeouts
            return DatabaseDown()
        case exc.DBAPIError(orig=BaseException() as origin):
            return DatabaseDown() if error.connection_invalidated else _meaning(origin)
    return _meaning(error)


def is_collision(error: exc.DBAPIError) -> bool:
    """Whether a transaction failed because of a concurrent one or a migration, so that it can be tried again."""
    return _code(error.orig) in COLLISIONS or is_outdated(error)


def is_outdated(error: Exception) -> bool:
    """Whether a statement was prepared before a migration changed the type of a column that it returns.

    The drivers prepare it again in the next attempt. SQLAlchemy's error has no SQLSTATE, but its cause has.
    """
    cause = error.orig.__cause__ if isinstance(error, exc.DBAPIError) and error.orig else error
    return _code(cause) == OUTDATED


def is_lock_failure(error: exc.DBAPIError) -> bool:
    """Whether a statement didn't get a lock in time, or was stopped because of a deadlock."""
    return _code(error.orig) in {"55P03", "40P01"}


def is_invalid_text(error: BaseException) -> bool:
    """Whether a text can't be stored: PostgreSQL has no U+0000, UTF-8 no lone surrogate."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, UnicodeEncodeError) or _code(cause) == INVALID_TEXT:
        return True
    return cause is not None and isinstance(cause.__cause__, UnicodeEncodeError)


def _code(error: BaseException | None) -> str:
    """Return the SQLSTATE or the name of SQLite's result code; empty if there is neither."""
    return getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or ""


def _meaning(error: BaseException) -> Unavailable | None:
    code = _code(error)
    matches = [prefix for prefix in MEANINGS if code.startswith(prefix)]
    if matches:
        return MEANINGS[max(matches, key=len)]()
    return DatabaseDown() if any(words in str(error) for words in LOST) else None
