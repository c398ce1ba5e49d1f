"""The entrance: refuses HTTP requests before their bodies are read."""

from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RateLimited
from mainsheet.server.operations.admission import MOST_KNOWN, Admission, CallerKey, overloaded
from mainsheet.server.operations.debtors import Debtors


class Gate:
    """Refuses requests by the queue of queries, as what they ask for isn't known, and by the budgets of their callers.

    The callers of earlier requests are known by the hashes of their tokens, so that a request needn't be authenticated
    to be refused. A new token counts as an organization of its own until it is authenticated.
    """

    def __init__(self, queries: Admission, debtors: Debtors) -> None:
        self._queries = queries
        self._debtors = debtors
        self._known: dict[int, CallerKey] = {}

    @property
    def is_closed_to_some(self) -> bool:
        """Whether some requests may be refused: operations wait, or a caller is in debt."""
        return self._queries.is_queued or bool(self._debtors)

    def caller_key(self, authorization: str | None) -> CallerKey:
        token = hash(authorization)
        return self._known.get(token) or (str(token), "")

    def refuses(self, authorization: str | None) -> bool:
        """Return whether a request would wait for too long."""
        return self._queries.is_queued and self._queries.refuses(self.caller_key(authorization))

    def check(self, authorization: str | None) -> None:
        """Raise `Overloaded` if a request would wait for too long."""
        if self.refuses(authorization):
            raise overloaded()

    def debt(self, authorization: str | None) -> RateLimited | None:
        """Return the error if the request's caller was refused for its debts before, and is still in debt."""
        return self._debtors.debt_of(self.caller_key(authorization)) if self._debtors else None

    def remember(self, authorization: str | None, caller: Caller) -> None:
        token, key = hash(authorization), (caller.organization_id, caller.actor_id)
        if self._known.get(token) == key:
            return
        self._known[token] = key
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
