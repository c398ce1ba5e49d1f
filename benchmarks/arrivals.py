"""`python -m benchmarks.arrivals`: requests at a fixed rate, however slowly they are answered.

The plan comes on standard input, the outcome goes to standard output. It is a process of its own, so that requests are
sent in time. A client gives up after `PATIENCE` seconds and closes its connection; other connections are kept.
"""

import asyncio
import random
import resource
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from statistics import fmean
from typing import Self, cast

import orjson
import uvloop

from benchmarks.load import Received, address, is_good

PATIENCE = 1.0  # seconds
TICK = 0.001


@dataclass(frozen=True)
class Plan:
    url: str
    kinds: Sequence[Sequence[str]]  # the requests of each kind; an arrival draws a kind, and then one of its requests
    rate: float
    seconds: float


@dataclass
class Outcome:
    """What happened to the requests of a plan. Those of `waits` were answered in time, in the order of the kinds."""

    seconds: float
    sent: int = 0
    refused: int = 0  # 503
    late: int = 0
    lost: int = 0  # the connection was closed or refused
    failed: int = 0  # any other answer
    refusal_waits: list[float] = field(default_factory=list)
    waits: list[list[float]] = field(default_factory=list)
    cpu: float = 0  # the share of its processor that this process used

    @classmethod
    def of_all(cls, parts: "Sequence[Outcome]") -> Self:
        """Return what happened in all parts together."""
        counted = ("seconds", "sent", "refused", "late", "lost", "failed")
        sums = {name: sum(getattr(each, name) for each in parts) for name in counted}
        refusal_waits = [wait for each in parts for wait in each.refusal_waits]
        waits = [list(chain(*kind)) for kind in zip(*[each.waits for each in parts], strict=True)]
        return cls(**sums, refusal_waits=refusal_waits, waits=waits, cpu=fmean(each.cpu for each in parts))

    @property
    def good(self) -> float:
        """Answers in time, a second."""
        return sum(map(len, self.waits)) / self.seconds


class Client(asyncio.Protocol):
    """A connection with at most one request on its way."""

    def __init__(self, idle: "list[Client]", outcome: Outcome) -> None:
        self._idle = idle
        self._outcome = outcome
        self._received = Received()
        self._transport: asyncio.Transport | None = None
        self._request = b""
        self._kind = 0
        self.due: float | None = None  # when the request on its way was due

    @property
    def is_connected(self) -> bool:
        return self._transport is not None

    def send(self, kind: int, request: bytes, due: float) -> None:
        self._kind, self._request, self.due = kind, request, due
        self._received.clear()
        if self._transport is not None:
            self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.due is None:  # it gave up meanwhile
            self._transport.abort()
        else:
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.due is not None and self._received.add(data):
            self._count(time.perf_counter() - self.due)
            self.due = None
            self._idle.append(self)

    def _count(self, wait: float) -> None:
        answer = self._received.data
        if answer.startswith(b"HTTP/1.1 503"):
            self._outcome.refused += 1
            self._outcome.refusal_waits.append(wait)
        elif not is_good(answer):
            self._outcome.failed += 1
        elif wait > PATIENCE:
            self._outcome.late += 1
        else:
            self._outcome.waits[self._kind].append(wait)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 as declared
        self._transport = None
        if self.due is not None:
            self.due = None
            self._outcome.lost += 1
        elif self in self._idle:
            self._idle.remove(self)

    def lose(self) -> None:
        if self.due is not None:
            self.due = None
            self._outcome.lost += 1

    def give_up(self) -> None:
        self.due = None
        self._outcome.late += 1
        if self._transport is not None:
            self._transport.abort()


class Arrivals:
    """Sends the requests of a plan when they are due, on idle connections or new ones."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._kinds = [[each.encode() for each in kind] for kind in plan.kinds]
        self._turns = [count() for _ in plan.kinds]
        self._draw = random.Random(1)
        self._idle: list[Client] = []
        self._sent: deque[tuple[float, Client]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self.outcome = Outcome(plan.seconds, waits=[[] for _ in plan.kinds])

    async def run(self) -> Outcome:
        due = began = time.perf_counter()
        while (now := time.perf_counter()) < began + self._plan.seconds + PATIENCE:
            while due <= now and due < began + self._plan.seconds:
                self._send(due)
                due += self._draw.expovariate(self._plan.rate)
            self._give_up(now)
            await asyncio.sleep(TICK)
        return self.outcome

    def _send(self, due: float) -> None:
        kind = self._draw.randrange(len(self._kinds))
        request = self._kinds[kind][next(self._turns[kind]) % len(self._kinds[kind])]
        self.outcome.sent += 1
        client = self._idle.pop() if self._idle else Client(self._idle, self.outcome)
        is_new = not client.is_connected
        client.send(kind, request, due)
        self._sent.append((due, client))
        if is_new:
            self._opening.add(task := asyncio.create_task(self._open(client)))
            task.add_done_callback(self._opening.discard)

    async def _open(self, client: Client) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: client, *address(self._plan.url))
        except OSError:
            client.lose()

    def _give_up(self, now: float) -> None:
        while self._sent and self._sent[0][0] < now - PATIENCE:
            due, client = self._sent.popleft()
            if client.due == due:
                client.give_up()


def main() -> None:
    plan = Plan(**orjson.loads(sys.stdin.buffer.read()))
    began = time.perf_counter()
    outcome = uvloop.run(Arrivals(plan).run())
    used = resource.getrusage(resource.RUSAGE_SELF)
    outcome.cpu = (used.ru_utime + used.ru_stime) / (time.perf_counter() - began)
    with open(sys.stdout.fileno(), "wb", closefd=False) as written:  # unbuffered output may write a part only
        written.write(orjson.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
