"""What is measured of a server with many subscribers."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fanout.events import Changes, Member
from benchmarks.fanout.subscribers import PATIENCE, Arrivals, Subscriber
from benchmarks.processor import spent, tree

WINDOW = 2  # events under way at once when a server has all that it can carry
FEW = 50  # the first subscribers, before memory is measured
TRIES = 3  # until all subscriptions have begun
STEADY_RATE = 5
SHARE = 0.7


@dataclass(frozen=True)
class Effort:
    subscribers: int
    steady: int  # subscribers at the steady rate
    seconds: float


@dataclass(frozen=True)
class Change:
    number: int
    sent: float
    viewers: int


@dataclass(frozen=True)
class Load:
    """What a server did with changes: how many a second, how long deliveries took, and CPU seconds."""

    changes: int
    seconds: float
    waits: Sequence[float]  # of each delivery; infinite for those that the server still owes
    server_seconds: float
    database_seconds: float

    @property
    def deliveries(self) -> int:
        return sum(map(math.isfinite, self.waits))

    @property
    def rate(self) -> float:
        return self.changes / self.seconds

    @property
    def p99_ms(self) -> float:
        return 1000 * sorted(self.waits)[int(len(self.waits) * 0.99)]

    @property
    def server_us(self) -> float:
        return 1e6 * self.server_seconds / self.deliveries

    @property
    def database_us(self) -> float:
        return 1e6 * self.database_seconds / self.deliveries


def memory(pid: int) -> int:
    """Return the bytes of memory that the processes of a server hold."""
    found = 0
    for each in tree(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                found += 1024 * int(line.split()[1])
    return found


@dataclass
class Crowd:
    """The subscribers of one server, and the changes that they hear of."""

    pid: int
    postmaster: int
    changes: Changes
    open: Callable[[Sequence[Member], Arrivals], Awaitable[Sequence[Subscriber]]]
    arrivals: Arrivals = field(default_factory=Arrivals)
    members: list[Member] = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)

    async def add(self, members: Sequence[Member]) -> None:
        """Connect more subscribers, and wait until they get events."""
        self.subscribers += await self.open(members, self.arrivals)
        self.members += members
        await self.changes.of(self.members)
        for _ in range(TRIES):
            change = await self._change()
            if math.inf not in self._waits(change):
                return
        raise TimeoutError

    def close(self) -> None:
        for each in self.subscribers:
            each.transport.close()

    async def saturated(self, seconds: float) -> Load:
        """Make the next change when an earlier one has arrived."""
        until = time.perf_counter() + seconds

        async def changes() -> list[Change]:
            found = []
            while time.perf_counter() < until:
                found.append(await self._change())
            return found

        return await self._load(asyncio.gather(*[changes() for _ in range(WINDOW)]))

    async def paced(self, rate: float, seconds: float) -> Load:
        """Make so many changes a second, whether or not earlier ones have arrived."""

        async def changes() -> list[list[Change]]:
            begun, made = time.perf_counter(), []
            for each in range(max(1, round(rate * seconds))):
                await asyncio.sleep(begun + each / rate - time.perf_counter())
                made.append(asyncio.create_task(self._change()))
            return [await asyncio.gather(*made)]

        return await self._load(changes())

    async def _change(self) -> Change:
        """Make a change, and wait until all that see it have it, but not for ever."""
        number, job_id, viewers = self.changes.next()
        arrived = self.arrivals.expect(number, viewers)
        sent = await self.changes.make(number, job_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await arrived
        return Change(number, sent, viewers)

    async def _load(self, making: Awaitable[list[list[Change]]]) -> Load:
        begun, server, database = time.perf_counter(), tree(self.pid), tree(self.postmaster)
        changes = [each for some in await making for each in some]
        seconds = time.perf_counter() - begun
        waits = [wait for each in changes for wait in self._waits(each)]
        return Load(len(changes), seconds, waits, spent(server, tree(self.pid)), spent(database, tree(self.postmaster)))

    def _waits(self, change: Change) -> list[float]:
        """Return how long each delivery took: for ever if the server is so far behind."""
        arrived = self.arrivals.times[change.number]
        return [at - change.sent for at in arrived] + [math.inf] * (change.viewers - len(arrived))
