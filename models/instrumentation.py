"""The one interface for what happens in the server; logs, metrics, budgets and traces implement it.

It names no library, so that every layer can report to it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refusal:
    """A request, an operation or a connection that was refused or cut off to protect the server.

    A limit of a caller names the member and the organization; other limits name the client's address, or nobody.
    """

    reason: str
    client: str | None = None
    member: str | None = None
    organization: str | None = None


@dataclass(slots=True)
class Delivery:
    """The response to one HTTP request; status 499 if the client left before it."""

    method: str
    path: str
    route: str  # the pattern that matched the path, or an empty string
    status: int
    seconds: float
    client: str
    operation: str | None = None  # its name, empty for an anonymous one; None if no operation was found
    member: str | None = None
    error_codes: Sequence[str] = ()


class Instrumentation:
    """Receives events. Each method does nothing unless a subclass overrides it; none may raise or block."""

    def parsed(self, seconds: float) -> None:
        """An operation was parsed and validated. One that the server still keeps isn't parsed again."""

    def queued(self) -> None:
        """An operation began to wait for its caller's turn; `dequeued` follows."""

    def dequeued(self, seconds: float) -> None:
        """A queued operation stopped waiting, because it was its turn or because it was refused."""

    def executed(self, how: str) -> None:
        """The executor answered an operation; `how` is one of its few outcomes."""

    def statement(self, sql: str, seconds: float) -> None:
        """A statement ended: it returned, failed or was cancelled."""

    def command(self, name: str, outcome: str, seconds: float) -> None:
        """A mutation's command ended with the outcome `done`, `dry_run`, `refused` or `failed`."""

    def feed_read(self, lag_seconds: float) -> None:
        """The ends of the feeds were read. Events have waited this long for an older transaction to end."""

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:
        """Something failed through no fault of the client; `path` is the field's if one failed."""

    def refused(self, refusal: Refusal) -> None:
        """A limit was exceeded."""

    def delivered(self, delivery: Delivery) -> None:
        """A response was made, or its client left."""


_of_operation: ContextVar[tuple[Instrumentation, ...]] = ContextVar("instruments", default=())


@contextmanager
def instrumented(*instruments: Instrumentation) -> Iterator[None]:
    """Pass the events of what runs inside to these instruments as well: those of one operation."""
    token = _of_operation.set((*_of_operation.get(), *instruments))
    try:
        yield
    finally:
        _of_operation.reset(token)


@dataclass(frozen=True)
class Instruments(Instrumentation):
    """Passes each event to the instruments of the process, then to those of the operation that runs."""

    shared: list[Instrumentation] = field(default_factory=list)

    def __iter__(self) -> Iterator[Instrumentation]:
        return iter((*self.shared, *_of_operation.get()))

    @contextmanager
    def timed(self, sql: str) -> Iterator[None]:
        """Report the statement that runs inside, also if it fails or is cancelled."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.statement(sql, time.perf_counter() - begun)

    def parsed(self, seconds: float) -> None:
        for each in self:
            each.parsed(seconds)

    def queued(self) -> None:
        for each in self:
            each.queued()

    def dequeued(self, seconds: float) -> None:
        for each in self:
            each.dequeued(seconds)

    def executed(self, how: str) -> None:
        for each in self:
            each.executed(how)

    def statement(self, sql: str, seconds: float) -> None:
        for each in self:
            each.statement(sql, seconds)

    def command(self, name: str, outcome: str, seconds: float) -> None:
        for each in self:
            each.command(name, outcome, seconds)

    def feed_read(self, lag_seconds: float) -> None:
        for each in self:
            each.feed_read(lag_seconds)

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:
        for each in self:
            each.failed(failure, path)

    def refused(self, refusal: Refusal) -> None:
        for each in self:
            each.refused(refusal)

    def delivered(self, delivery: Delivery) -> None:
        for each in self:
            each.delivered(delivery)
