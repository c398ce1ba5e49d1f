"""The entrance: refuses HTTP requests before their bodies are read."""

from time import monotonic

from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RateLimited
from mainsheet.server.operations.admission import MOST_KNOWN, Admission, CallerKey, Place, overloaded
from mainsheet.server.operations.buckets import Clock
from mainsheet.server.operations.debtors import Debtors

AUTHENTICATED_SECONDS = 10


class Gate:
    """Refuses requests by the queue of queries, as what they ask for isn't known, and by the budgets of their callers.

    The callers of earlier requests are known by the hashes of their tokens, so that a request needn't be authenticated
    to be refused. A new token counts as an organization of its own until it is authenticated. A refusal for debts says
    what is left of the caller's budget, so it needs a token that was valid `AUTHENTICATED_SECONDS` ago or later.
    """

    def __init__(self, queries: Admission, debtors: Debtors, clock: Clock = monotonic) -> None:
        self._queries = queries
        self._debtors = debtors
        self._clock = clock
        self._known: dict[int, tuple[CallerKey, float]] = {}  # with the time of the last authentication

    @property
    def is_closed_to_some(self) -> bool:
        """Whether some requests may be refused: operations wait, or a caller is in debt."""
        return self._queries.is_queued or bool(self._debtors)

    def caller_key(self, authorization: str | None) -> CallerKey:
        token = _hashed(authorization)
        known = self._known.get(token)
        return known[0] if known else (str(token), "")

    def refuses(self, authorization: str | None) -> bool:
        """Return whether a request would wait for too long."""
        return self._queries.is_queued and self._queries.refuses(self.caller_key(authorization))

    def place(self, authorization: str | None) -> Place | None:
        """Return a place for a request that isn't refused, or None if no operation waits or its caller isn't known."""
        known = self._known.get(_hashed(authorization))
        return self._queries.place(known[0]) if known and self._queries.is_queued else None

    def check(self, authorization: str | None) -> None:
        """Raise `Overloaded` if a request would wait for too long."""
        if self.refuses(authorization):
            raise overloaded()

    def debt(self, authorization: str | None) -> RateLimited | None:
        """Return the error if the request's caller was refused for its debts before, and is still in debt."""
        if not self._debtors:  # as a rule
            return None
        key, authenticated = self._known.get(_hashed(authorization), (None, 0.0))
        if key is None or self._clock() - authenticated > AUTHENTICATED_SECONDS:
            return None
        return self._debtors.debt_of(key)

    def remember(self, authorization: str | None, caller: Caller) -> None:
        self._known[_hashed(authorization)] = caller.key, self._clock()
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def forget(self, authorization: str | None) -> None:
        """Forget whose token it was, as it isn't valid: its requests count no longer as those of this caller."""
        self._known.pop(_hashed(authorization), None)


def _hashed(authorization: str | None) -> int:
    """Return the hash of the token, the same however its scheme is written."""
    _, _, token = (authorization or "").partition(" ")
    return hash(token.strip(" ") or authorization)
