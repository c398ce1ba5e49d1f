"""Admission of operations: the newest are refused, if possible unread, when those before them wait for too long.

An operation that is admitted is answered, as a rule. Under overload, a queue without a limit of time would serve only
requests whose clients have given up. "Fail at Scale" (Maurer, ACM Queue 13/8, 2015) describes queues that are limited
by time; we refuse at the entrance what they drop from the queue.
"""

from random import choice

from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import Overloaded
from mainsheet.server.operations.fair_queue import FairQueue
from mainsheet.server.operations.load import Load, Slots

MOST_SHARES = 1.1  # times its share: up to here, an organization may have more by callers that have less than theirs
MOST_ORGANIZATIONS = 10  # times the limit; up to here, one that has no operation may have one
MOST_KNOWN = 10_000  # callers
RETRIES = range(1, 5)  # seconds

CallerKey = tuple[str, str]  # the ids of the organization and of the actor


class Place:
    """Counts a request while it is being read. Without it, all that arrive meanwhile would be let in."""

    __slots__ = ("_key", "_load")

    def __init__(self, load: Load, key: CallerKey) -> None:
        self._load = load
        self._key: CallerKey | None = key
        load.change(*key, reading=1)

    def leave(self) -> None:
        """Leave the place to the request's operation, or to others. To do so again has no effect."""
        if self._key:
            self._load.change(*self._key, reading=-1)
            self._key = None


class Admission:
    """Limits the operations in a queue by their expected wait.

    At the limit, an organization may enter while it has less than its share of the operations, and in it its callers.
    """

    def __init__(self, queue: FairQueue, seconds: float) -> None:
        self._queue = queue
        self._load: Load = queue.load
        self._seconds = seconds

    @property
    def is_queued(self) -> bool:
        """Whether operations wait. If not, none is refused."""
        return self._queue.is_queued

    def refuses(self, key: CallerKey) -> bool:
        """Return whether an operation would wait for too long, unless it would wait for its caller's own limit."""
        if not self._seconds or not self.is_queued:
            return False
        organization_id, _ = key
        organization = self._load.organizations.get(organization_id)
        if organization and organization.slots.are_taken:
            return self._has_its_share(key, organization.slots, organizations=1)
        return self._has_its_share(key, self._load.slots, len(self._load.organizations))

    def place(self, key: CallerKey) -> Place:
        return Place(self._load, key)

    def check(self, caller: Caller) -> None:
        """Raise `Overloaded` if an operation of the caller would wait for too long."""
        if self.refuses(caller.key):
            raise overloaded()

    def _has_its_share(self, key: CallerKey, slots: Slots, organizations: int) -> bool:
        if not slots.are_taken or not slots.waiting:
            return False
        limit = slots.room(self._seconds)
        if slots.total < limit:
            return False
        organization_id, actor_id = key
        organization = self._load.organizations.get(organization_id)
        if organization is None:
            return organizations >= MOST_ORGANIZATIONS * limit
        share = limit / organizations
        if organization.total >= max(1, MOST_SHARES * share):
            return True
        own = organization.callers.get(actor_id)
        return own is not None and own.total >= max(1, int(share / len(organization.callers)))


def overloaded() -> Overloaded:
    """Return the error for a refused request. The clients of many don't all come back at the same time."""
    return Overloaded(choice(RETRIES))  # noqa: S311 not for secrets
