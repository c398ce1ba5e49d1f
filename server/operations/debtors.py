"""Callers with a budget that is used up: their next requests are refused without being read."""

from collections.abc import Callable

from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RateLimited
from mainsheet.server.operations.admission import MOST_KNOWN, CallerKey
from mainsheet.server.operations.buckets import Clock


class Debtors:
    """Keeps the callers that were refused for their debts, until none of them can be in debt any more.

    `find_debt` returns the error for a caller that is in debt now, and adds it here.
    """

    def __init__(self, find_debt: Callable[[Caller], RateLimited | None], clock: Clock) -> None:
        self._find_debt = find_debt
        self._clock = clock
        self._callers: dict[CallerKey, Caller] = {}
        self._until = 0.0

    def __bool__(self) -> bool:
        if self._callers and self._clock() >= self._until:
            self._callers.clear()
        return bool(self._callers)

    def add(self, caller: Caller, seconds: float) -> None:
        """Add a caller that is in debt for so many seconds, unless it is charged again."""
        self._until = max(self._until, self._clock() + seconds)
        self._callers[caller.key] = caller
        if len(self._callers) > MOST_KNOWN:
            del self._callers[next(iter(self._callers))]

    def debt_of(self, key: CallerKey) -> RateLimited | None:
        """Return the error for a caller that is still in debt."""
        caller = self._callers.get(key)
        debt = None if caller is None else self._find_debt(caller)
        if debt is None:
            self._callers.pop(key, None)
        return debt
