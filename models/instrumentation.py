"""The one interface for what happens in the server; logs, metrics, budgets and traces implement it.

It names no library, so that every layer can report to it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from heapq import heappush, heappushpop

from mainsheet.models.errors import UserError

MOST_SLOWEST = 5


@dataclass(frozen=True)
class Refusal:
    """A request, an operation or a connection that was refused or cut off to protect the server.

    A limit of a caller names the member and the organization; other limits name the client's address, or nobody.
    """

    reason: str
    client: str | None = None
    member: str | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An HTTP request whose headers were received. `fields` are those of all its log lines, which may be added to."""

    method: str
    headers: Mapping[str, str]
    fields: dict[str, str]


@dataclass(frozen=True)
class UntrustedDocument:
    """A document that isn't trusted, and that was refused or, in the mode `log`, executed."""

    id: str  # the SHA-256 of its text, or the unknown id or hash that was sent
    operation: str  # its name, as far as it is known
    client: str  # the name that the client gives itself; may be empty
    is_refused: bool


@dataclass(slots=True)
class Delivery:
    """The response to one HTTP request; status 499 if the client left before it."""

    method: str
    path: str
    route: str  # the pattern that matched the path, or an empty string
    status: int
    seconds: float
    is_stream: bool = False  # a WebSocket connection or a stream of events, whose time says nothing
    operation: str | None = None  # its label; None if no operation was found
    record: "OperationRecord | None" = None  # None if no operation was executed
    error_codes: Sequence[str] = ()


class OperationInstrument:
    """Receives the events that instruments of one operation can have. A small request has a dozen events in all."""

    def dequeued(self, seconds: float) -> None:
        """A queued operation stopped waiting, because it was its turn or because it was refused."""

    def statement(self, sql: str, seconds: float) -> None:
        """A statement ended: it returned, failed or was cancelled."""

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:
        """A mutation's command ended with the outcome `done`, `dry_run`, `refused` or `failed`.

        The problems are why it was refused.
        """


class Instrumentation(OperationInstrument):
    """Receives events. Each method does nothing unless a subclass overrides it; none may raise or block."""

    def received(self, arrival: Arrival) -> None:
        """The headers of an HTTP request were received; `delivered` follows."""

    def parsed(self, seconds: float) -> None:
        """An operation was parsed and validated. One that the server still keeps isn't parsed again."""

    def queued(self) -> None:
        """An operation began to wait for its caller's turn; `dequeued` follows."""

    def began(self, record: "OperationRecord") -> None:
        """An operation is about to be executed, or to wait for its turn; `operated` follows."""

    def operated(self, record: "OperationRecord") -> None:
        """An operation ended, or its client left. A mutation whose client left goes on."""

    def executed(self, how: str) -> None:
        """The executor answered an operation; `how` is one of its few outcomes."""

    def waited(self, seconds: float) -> None:
        """A snapshot waited for a free database connection, and got it or gave up."""

    def routed(self, outcome: str) -> None:
        """A query asked for a replica. The outcome is `replica`, or why it is read from the primary.

        `behind`: no replica had come far enough; `unknown`: its token is of another timeline; `failed`: after
        `replica`, the replica failed.
        """

    def streamed(self, error_codes: Sequence[str]) -> None:
        """A message of a WebSocket or an event stream was made: a result, which may have errors, or only errors."""

    def attempted(self, outcome: str, seconds: float) -> None:
        """A webhook's message was sent with the outcome `succeeded` or `failed`."""

    def feed_read(self, lag_seconds: float) -> None:
        """The ends of the feeds were read. Events have waited this long for an older transaction to end."""

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:
        """Something failed through no fault of the client; `path` is the field's if one failed."""

    def refused(self, refusal: Refusal) -> None:
        """A limit was exceeded."""

    def untrusted(self, document: UntrustedDocument) -> None:
        """A request had a document that isn't trusted, where the mode isn't `any`, or an id that doesn't exist."""

    def delivered(self, delivery: Delivery) -> None:
        """A response was made, or its client left."""


@dataclass(eq=False, slots=True)
class OperationRecord(OperationInstrument):
    """What one operation did. As an instrument of the operation, it counts its statements and refused commands.

    Each execution of a subscription for an event is an operation of its own.
    """

    label: str  # its name, or the names of its fields if it has none
    name: str  # empty for an anonymous one
    type: str  # query, mutation or subscription
    is_streamed: bool = False
    seconds: float = 0  # set at the end
    queued_seconds: float = 0
    database_seconds: float = 0
    statements: int = 0
    slowest: list[tuple[float, str]] = field(default_factory=list)  # statements with their seconds
    error_codes: Sequence[str] = ()  # of top-level errors
    user_errors: dict[str, None] = field(default_factory=dict)  # their codes

    def dequeued(self, seconds: float) -> None:
        self.queued_seconds += seconds

    def statement(self, sql: str, seconds: float) -> None:
        self.statements += 1
        self.database_seconds += seconds
        keep = heappush if len(self.slowest) < MOST_SLOWEST else heappushpop
        keep(self.slowest, (seconds, sql))

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:  # noqa: ARG002 as declared
        self.user_errors |= dict.fromkeys(each.code for each in problems)


_of_operation: ContextVar[tuple[OperationInstrument, ...]] = ContextVar("instruments", default=())


class Instrumented:
    """A context manager that passes the events of what runs inside to one more instrument: that of one operation."""

    __slots__ = ("_instrument", "_token")

    def __init__(self, instrument: OperationInstrument) -> None:
        self._instrument = instrument

    def __enter__(self) -> None:
        self._token = _of_operation.set((*_of_operation.get(), self._instrument))

    def __exit__(self, *_failure: object) -> None:
        _of_operation.reset(self._token)


EVENTS = [name for name in dir(Instrumentation) if not name.startswith("_")]


class Instruments(Instrumentation):
    """Passes each event to the instruments of the process, then to those of the operation that runs.

    Most instruments override a few methods. Only these are called.
    """

    def __init__(self) -> None:
        self.shared: Sequence[Instrumentation] = ()
        self.methods: Mapping[str, Sequence[Callable[..., None]]] = dict.fromkeys(EVENTS, ())

    def add(self, *instruments: Instrumentation) -> None:
        self._share((*self.shared, *instruments))

    def remove(self, instrument: Instrumentation) -> None:
        """Remove an instrument. Raises ValueError if it isn't there."""
        remaining = [each for each in self.shared if each is not instrument]
        if len(remaining) == len(self.shared):
            raise ValueError(f"{instrument!r} isn't an instrument of the process")
        self._share(remaining)

    def _share(self, instruments: Sequence[Instrumentation]) -> None:
        self.shared = instruments
        self.methods = {event: [*_methods(event, instruments)] for event in EVENTS}

    @contextmanager
    def timed(self, sql: str) -> Iterator[None]:
        """Report the statement that runs inside, also if it fails or is cancelled."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.statement(sql, time.perf_counter() - begun)


def _methods(event: str, instruments: Iterable[Instrumentation]) -> Iterator[Callable[..., None]]:
    """Yield the methods for the event that classes override. A method set on an instance isn't called."""
    nothing = getattr(Instrumentation, event)
    for each in instruments:
        if getattr(type(each), event) is not nothing:
            yield getattr(each, event)


def _passing(event: str) -> Callable[..., None]:
    def report(self: Instruments, *details: object, **named: object) -> None:
        for method in self.methods[event]:
            method(*details, **named)

    def report_to_operation_too(self: Instruments, *details: object, **named: object) -> None:
        for method in self.methods[event]:
            method(*details, **named)
        for each in _of_operation.get():
            getattr(each, event)(*details, **named)

    passing = report_to_operation_too if hasattr(OperationInstrument, event) else report
    passing.__name__ = event
    return passing


for _event in EVENTS:
    setattr(Instruments, _event, _passing(_event))
