"""Groups of equal subscriptions, and how their results reach the subscribers."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

from mainsheet.executor.turns import next_turn
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.subscription import Delivery, Source
from mainsheet.server.live.feed_watch import Reader
from mainsheet.server.observe.log_fields import detached_context

MOST_WAITING = 1_000  # results for a subscriber that reads slowly

Run = Callable[[Delivery], Awaitable[bytes]]
SendNow = Callable[[bytes], bool]
"""Sends a result without waiting. Returns False, and sends nothing, if earlier bytes are still unsent."""


class TooSlow(Exception):
    """A subscriber doesn't read as fast as events occur. It can resume after its last event."""


Item = bytes | Exception


def send_later(_result: bytes) -> bool:
    """Send nothing now: all results are read from `Subscriber.waiting`."""
    return False


class Subscriber:
    """A subscription. A result that can't be sent now waits, and so do those after it.

    `begin_sending` is called when a result has to wait and none did before. It starts to read `waiting`.
    """

    __slots__ = ("_begin_sending", "_send_now", "_waiting")

    def __init__(self, send_now: SendNow, begin_sending: Callable[[], None]) -> None:
        self._send_now = send_now
        self._begin_sending = begin_sending
        self._waiting: deque[Item] | None = None  # None while there are none: most subscribers never have any

    def deliver(self, item: Item) -> bool:
        """Send a result or let it wait. Return False if too many wait: the subscription ends with `TooSlow`."""
        if self._waiting is not None:
            is_too_slow = len(self._waiting) >= MOST_WAITING
            self._waiting.append(TooSlow() if is_too_slow else item)
            return not is_too_slow
        if not (isinstance(item, bytes) and self._send_now(item)):
            self._waiting = deque([item])
            self._begin_sending()
        return True

    async def waiting(self) -> AsyncGenerator[bytes]:
        """Yield the results that had to wait, each when the one before was sent. Raises what ended the subscription."""
        while self._waiting:
            item = self._waiting[0]
            if isinstance(item, Exception):
                raise item
            yield item
            self._waiting.popleft()
        self._waiting = None


@dataclass(frozen=True)
class Subscription:
    """What a client subscribed to. Equal subscriptions have equal keys. `run` executes the operation for one event."""

    key: Hashable
    caller: Caller
    source: Source
    run: Run


class Group:
    """Equal subscriptions of one caller. There is a task only while the group reads events.

    The group is the flag of its reader of the feed: `set` says that the feed has grown, and starts the task.
    """

    __slots__ = (
        "_context",
        "_has_grown",
        "_idle",
        "_read",
        "caller",
        "cursor",
        "has_read",
        "key",
        "members",
        "reader",
        "run",
        "source",
        "task",
    )

    def __init__(
        self, subscription: Subscription, key: Hashable, read: Callable[["Group"], Coroutine[Any, Any, None]]
    ) -> None:
        """`read` delivers the events after the cursor."""
        self.caller = subscription.caller
        self.source = subscription.source
        self.run = subscription.run
        self.key = key
        self.members: set[Subscriber] = set()
        self.cursor = self.source.after
        self.has_read = False
        self.reader = Reader(self.caller.organization_id, self.caller, self)
        self.task: asyncio.Task[None] | None = None
        self._read = read
        self._has_grown = False
        self._idle: asyncio.TimerHandle | None = None
        # Each error has the request id of the first subscriber.
        self._context = detached_context("request_id", "actor", "organization")

    def set(self) -> None:
        self._has_grown = True
        if self.task is None or self.task.done():  # done if something cancelled it: the next one begins at the cursor
            self._stop_idling()
            self.task = asyncio.create_task(self._read(self), name="subscription", context=self._context.copy())

    def clear(self) -> None:
        self._has_grown = False

    def is_set(self) -> bool:
        return self._has_grown

    def idle(self, seconds: float) -> None:
        """Let the task end. The next one starts when the feed has grown, or after so many seconds."""
        self.task = None
        self._idle = asyncio.get_running_loop().call_later(seconds, self.set)

    def _stop_idling(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    async def deliver(self, result: bytes) -> None:
        """Deliver the result to all members, without keeping other work from the event loop for long."""
        for each in list(self.members):
            await next_turn()
            if each in self.members and not each.deliver(result):
                self.members.discard(each)

    def end(self, reason: Exception) -> None:
        """End all subscriptions. They get the results that wait first."""
        for each in list(self.members):
            each.deliver(reason)

    def close(self) -> None:
        """Stop reading: there are no members any more."""
        self._stop_idling()
        if self.task is not None:
            self.task.cancel()
