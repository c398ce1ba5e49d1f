"""Errors of the database, not of the request: HTTP status 503.

Unavailable
├── DatabaseDown         the database can't be reached, the connection was lost, or the server is failing
│   └── ReadOnly         the database accepts no changes
├── DiskFull             the database has no disk space for a change
├── NoConnection         all connections are in use
├── TooSlow              a statement took too long and was stopped
├── Locked               another transaction holds a lock for too long
└── OutcomeUnknown       the connection was lost during a commit, or a batch failed after some of its items
"""

from typing import ClassVar

from mainsheet.models.errors import MainsheetError

LOOK_FIRST = (
    "it isn't known whether the change was made. Check before you send it again; "
    "with an idempotencyKey it is safe to send again"
)


class Unavailable(MainsheetError):
    """The database failed. Nothing was changed, except perhaps for `OutcomeUnknown`."""

    text: ClassVar[str]
    is_timeout: ClassVar[bool] = False
    retry_after: ClassVar[int | None] = 1  # seconds; None where it isn't safe to send the same again

    def __init__(self) -> None:
        super().__init__(self.text)


class DatabaseDown(Unavailable):
    """The database can't be reached, the connection was lost, or the server is out of memory."""

    text = "The database can't be reached"
    retry_after = 2


class ReadOnly(DatabaseDown):
    """The database accepts no changes. After a failover, a new connection may lead to one that does."""

    text = "The database is read-only: it accepts no changes"


class DiskFull(Unavailable):
    """The database has no disk space for a change. It rolls the change back, even if the commit is what fails."""

    text = "The database's disk is full"
    retry_after = 2


class NoConnection(Unavailable):
    """No connection became free within the timeout."""

    text = "The server is busy: no database connection became free in time"
    is_timeout = True


class TooSlow(Unavailable):
    """The database stopped a statement at the statement timeout."""

    text = "A database statement took too long and was stopped"
    is_timeout = True


class Locked(Unavailable):
    """Another transaction held a lock for longer than the lock timeout."""

    text = "Another change to the same data is taking too long"
    is_timeout = True


class OutcomeUnknown(Unavailable):
    """The database failed during a commit before it confirmed it, or in a batch after an item was committed."""

    text = "The database failed before it confirmed all changes, and " + LOOK_FIRST
    retry_after = None
