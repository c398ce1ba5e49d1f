"""Limits of open connections, and deadlines for each step of an exchange.

Without deadlines, a slow client could keep a connection open, or a response in memory, without end.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from mainsheet.models.instrumentation import Instrumentation, Refusal
from mainsheet.server.http.client_address import Clients, group

# The reasons in metrics and the log.
Reason = Literal[
    "answer", "client_left", "connections", "connections_of_address", "headers", "idle", "overload", "silent"
]


@dataclass(frozen=True)
class Deadlines:
    """Seconds for a request's headers, until the next request, and for a client to receive a response."""

    header: float
    idle: float
    write: float


@dataclass
class Connections:
    """Counts open connections in all and by client address; those of trusted proxies count in all only."""

    most: int
    most_per_address: int
    deadlines: Deadlines
    clients: Clients
    instrumentation: Instrumentation
    _open: Counter[str] = field(default_factory=Counter)
    total: int = 0

    def admit(self, address: str) -> bool:
        """Count a new connection, unless there are too many."""
        if self.total >= self.most:
            self.refused("connections", address)
            return False
        key = group(address)
        if self._open[key] >= self.most_per_address and not self.clients.is_proxy(address):
            self.refused("connections_of_address", address)
            return False
        self._open[key] += 1
        self.total += 1
        return True

    def closed(self, address: str) -> None:
        key = group(address)
        self.total -= 1
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    def refused(self, reason: Reason, address: str) -> None:
        """Report a refusal; without the client if it only kept an idle connection, as all of them do."""
        self.instrumentation.refused(Refusal(reason, client=None if reason == "idle" else address))
