"""What is wrong when the database is the problem and the request may be fine: HTTP's 503.

Unavailable
├── DatabaseDown         it can't be reached, was lost, or can't go on
├── DiskFull             SQLite has no room for a change
├── NoConnection         all connections are in use
├── TooSlow              a statement took too long and was stopped
├── Locked               somebody else holds what a change needs
└── OutcomeUnknown       it was lost while a change was being committed
"""

from typing import ClassVar

from mainsheet.models.errors import MainsheetError

LOOK_FIRST = (
    "whether it was made isn't known. Look before you send it again; with an idempotencyKey it is safe to send again"
)


class Unavailable(MainsheetError):
    """The database is the problem. Nothing was changed, but by `OutcomeUnknown`."""

    text: ClassVar[str]
    is_timeout: ClassVar[bool] = False
    retry_after: ClassVar[int | None] = 1  # seconds; None where it isn't safe to send the same again

    def __init__(self) -> None:
        super().__init__(self.text)


class DatabaseDown(Unavailable):
    """It can't be reached, was lost, or has no memory or disk left."""

    text = "The database can't be reached now"
    retry_after = 2


class DiskFull(Unavailable):
    """SQLite has no room for a change: it then keeps nothing of it, not even if that shows at the commit."""

    text = "The database's disk is full"
    retry_after = 2


class NoConnection(Unavailable):
    """All connections were in use for as long as one may wait for one."""

    text = "The server is busy: no database connection got free in time"
    is_timeout = True


class TooSlow(Unavailable):
    """The database stopped a statement that took longer than the settings allow."""

    text = "The database took too long, and was stopped"
    is_timeout = True


class Locked(Unavailable):
    """Somebody else held a lock for longer than one may wait for it."""

    text = "Somebody else is changing the same, and takes too long"
    is_timeout = True


class OutcomeUnknown(Unavailable):
    """The database failed between a commit and the word that it is done."""

    text = "The database failed while the change was being made, and " + LOOK_FIRST
    retry_after = None
