"""Groups of equal subscriptions, and how their results reach the subscribers."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from mainsheet.executor.turns import next_turn
from mainsheet.resolvers.subscription import Delivery, Source

MOST_WAITING = 1_000  # results for a subscriber that reads slowly

Run = Callable[[Delivery], Awaitable[bytes]]
SendNow = Callable[[bytes], bool]
"""Sends a result without waiting. Returns False, and sends nothing, if earlier bytes are still unsent."""


class TooSlow(Exception):
    """A subscriber doesn't read as fast as events occur. It can resume after its last event."""


Item = bytes | Exception


def send_later(_result: bytes) -> bool:
    """Send nothing now: all results are read from `Subscriber.results`."""
    return False


class Subscriber:
    """A subscription. A result that can't be sent now waits, and so do those after it."""

    __slots__ = ("_added", "_send_now", "_waiting")

    def __init__(self, send_now: SendNow) -> None:
        self._send_now = send_now
        self._waiting: deque[Item] | None = None  # None while there are none: most subscribers never have any
        self._added: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def deliver(self, item: Item) -> bool:
        """Send a result or let it wait. Return False if too many wait: the subscription ends with `TooSlow`."""
        if self._waiting is None and isinstance(item, bytes) and self._send_now(item):
            return True
        if self._waiting is None:
            self._waiting = deque()
        is_too_slow = len(self._waiting) >= MOST_WAITING
        self._waiting.append(TooSlow() if is_too_slow else item)
        if not self._added.done():
            self._added.set_result(None)
        return not is_too_slow

    async def results(self) -> AsyncGenerator[bytes]:
        """Yield the results that had to wait, each when the one before was sent."""
        while True:
            await self._added
            self._added = asyncio.get_running_loop().create_future()
            while self._waiting:
                item = self._waiting[0]
                if isinstance(item, Exception):
                    raise item
                yield item
                self._waiting.popleft()
            self._waiting = None


@dataclass(eq=False)
class Group:
    """Equal subscriptions of one caller. `run` executes their operation for one event."""

    source: Source
    run: Run
    cursor: str | None
    members: set[Subscriber] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None

    async def deliver(self, result: bytes) -> None:
        """Deliver the result to all members, without keeping other work from the event loop for long."""
        for each in list(self.members):
            await next_turn()
            if each in self.members and not each.deliver(result):
                self.members.discard(each)

    def end(self, reason: Exception) -> None:
        """End all subscriptions. They get the results that wait first."""
        for each in self.members:
            each.deliver(reason)
