"""Admission of requests: the newest are refused, before they are read, when those before them wait for too long.

A request that is admitted is answered, as a rule. Under overload, a queue without a limit of time would serve only
requests whose clients have given up. The expected wait is measured: by Little's law, it is the number of requests that
wait, multiplied by the time between two that leave. "Fail at Scale" (Maurer, ACM Queue 13/8, 2015) describes queues
that are limited by time; we refuse at the entrance what they drop from the queue.
"""

import time
from collections.abc import Callable
from random import choice
from typing import Self

from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import Overloaded
from mainsheet.server.operations.budget import Budget

SAMPLES = 32  # the mean time between two departures is that of about so many
MOST_SHARES = 2  # of an organization, while members who have less than their share of it ask
MOST_ORGANIZATIONS = 10  # times the limit; each may have one request
MOST_KNOWN = 10_000
RETRIES = range(1, 5)  # seconds

Who = tuple[str, str]  # an organization's id and one of its members'


class Admission:
    """Counts the requests that wait or run, and limits them by their expected wait.

    At the limit, an organization may enter while it has less than its share of the requests, and in it its callers.
    """

    def __init__(self, slots: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.slots = slots  # requests that run at once
        self.total = 0
        self._seconds = seconds
        self._clock = clock
        self._members: dict[str, dict[str, int]] = {}
        self._gap = 0.0  # seconds between two departures while requests wait
        self._samples = 0
        self._last = 0.0  # the latest departure, or the beginning of the queue

    def enter(self, who: Who) -> bool:
        """Count a request unless those before it wait for too long, and return whether it was counted."""
        if self.refuses(who):
            return False
        self.total += 1
        if self.total == self.slots + 1:
            self._last = self._clock()
        self._count(who, 1)
        return True

    def leave(self, who: Who, *, is_done: bool) -> None:
        """Stop counting a request. It isn't done if it was refused or failed, which says nothing about the wait."""
        if is_done and self.total > self.slots:
            now = self._clock()
            self._samples = min(SAMPLES, self._samples + 1)
            self._gap += (now - self._last - self._gap) / self._samples
            self._last = now
        self.total -= 1
        self._count(who, -1)

    def move(self, before: Who, after: Who) -> None:
        self._count(before, -1)
        self._count(after, 1)

    def refuses(self, who: Who) -> bool:
        if self.total <= self.slots or not self._seconds:
            return False
        limit = self._limit()
        if self.total < limit:
            return False
        return self._has_its_share(who, limit)

    def _limit(self) -> float:
        """Return how many requests may wait or run so that the newest one's wait isn't too long."""
        stalled = max(0.0, self._clock() - self._last - self._gap)  # no request leaves
        left = self._seconds - stalled
        if left <= 0:
            return self.slots
        return self.slots + left / self._gap if self._gap else float("inf")

    def _has_its_share(self, who: Who, limit: float) -> bool:
        organization, caller = who
        callers = self._members.get(organization)
        if callers is None:
            return len(self._members) >= MOST_ORGANIZATIONS * limit
        share = limit / len(self._members)
        if sum(callers.values()) >= max(1, MOST_SHARES * share):
            return True
        return callers.get(caller, 0) >= max(1, share / len(callers))

    def _count(self, who: Who, by: int) -> None:
        organization, caller = who
        callers = self._members.setdefault(organization, {})
        count = callers.get(caller, 0) + by
        if count:
            callers[caller] = count
        else:
            del callers[caller]
            if not callers:
                del self._members[organization]


class Gate:
    """Admits HTTP requests. All count as queries until their operations are known to be mutations.

    The callers of earlier requests are known by the hashes of their tokens, so that a request needn't be authenticated
    to be refused. A new token counts as an organization of its own until it is authenticated.
    """

    def __init__(self, queries: Admission, mutations: Admission) -> None:
        self.queries = queries
        self.mutations = mutations
        self._known: dict[int, Who] = {}

    @classmethod
    def of(cls, budget: Budget, seconds: float) -> Self:
        return cls(*(Admission(each.slots, seconds) for each in (budget.queries, budget.mutations)))

    @property
    def is_queued(self) -> bool:
        """Whether queries wait. If not, none is refused."""
        return self.queries.total > self.queries.slots

    def refuses(self, authorization: str | None) -> bool:
        return self.queries.refuses(self._who(authorization))

    def arrive(self, authorization: str | None) -> "Visit":
        """Admit a request. Raises `Overloaded`."""
        who = self._who(authorization)
        if not self.queries.enter(who):
            raise overloaded()
        return Visit(self, authorization, who)

    def remember(self, authorization: str | None, who: Who) -> None:
        self._known[hash(authorization)] = who
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _who(self, authorization: str | None) -> Who:
        token = hash(authorization)
        return self._known.get(token) or (str(token), "")


class Visit:
    """An admitted request, until it is answered."""

    __slots__ = ("_admission", "_authorization", "_gate", "_who")

    def __init__(self, gate: Gate, authorization: str | None, who: Who) -> None:
        self._gate = gate
        self._authorization = authorization
        self._who = who
        self._admission: Admission | None = gate.queries

    def identify(self, caller: Caller) -> None:
        who = caller.organization_id, caller.actor_id
        if who != self._who and self._admission:
            self._admission.move(self._who, who)
            self._gate.remember(self._authorization, who)
            self._who = who

    def become_mutation(self) -> None:
        """Let it wait with the mutations. Raises `Overloaded`."""
        self.end(is_done=False)
        if not self._gate.mutations.enter(self._who):
            raise overloaded()
        self._admission = self._gate.mutations

    def end(self, *, is_done: bool) -> None:
        if self._admission:
            self._admission.leave(self._who, is_done=is_done)
            self._admission = None


def overloaded() -> Overloaded:
    """Return the error for a refused request. The clients of many don't all come back at the same time."""
    return Overloaded(choice(RETRIES))  # noqa: S311 not for secrets
