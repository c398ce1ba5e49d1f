"""Groups of equal subscriptions, and how their results reach the subscribers."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from mainsheet.executor.turns import next_turn
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.rights import Extent
from mainsheet.resolvers.subscription import Source
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.feed_watch import Reader
from mainsheet.server.observe.log_fields import detached_context

MOST_WAITING = 1_000  # results for a subscriber that reads slowly
MOST_WAITING_BYTES = 8 * 1024 * 1024  # of more than two results, which may be as large as they are allowed to be

Run = Callable[[Execution], Awaitable[bytes]]
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

    __slots__ = ("_begin_sending", "_bytes", "_send_now", "_waiting", "actor_id", "group")

    def __init__(self, send_now: SendNow, begin_sending: Callable[[], None]) -> None:
        self.group: Group | None = None
        self.actor_id = ""
        self._send_now = send_now
        self._begin_sending = begin_sending
        self._waiting: deque[Item] | None = None  # None while there are none: most subscribers never have any
        self._bytes = 0  # of the results that wait

    def deliver(self, item: Item) -> bool:
        """Send a result or let it wait. Return False if too many wait: the subscription ends with `TooSlow`."""
        if self._waiting is not None:
            is_too_slow = self._has_too_many(self._waiting)
            self._add(self._waiting, TooSlow() if is_too_slow else item)
            return not is_too_slow
        if not (isinstance(item, bytes) and self._send_now(item)):
            self._waiting = deque()
            self._add(self._waiting, item)
            self._begin_sending()
        return True

    def _has_too_many(self, waiting: deque[Item]) -> bool:
        return len(waiting) >= MOST_WAITING or (len(waiting) > 1 and self._bytes >= MOST_WAITING_BYTES)

    def _add(self, waiting: deque[Item], item: Item) -> None:
        waiting.append(item)
        self._bytes += _size(item)

    async def waiting(self) -> AsyncGenerator[bytes]:
        """Yield the results that had to wait, each when the one before was sent. Raises what ended the subscription."""
        while self._waiting:
            item = self._waiting[0]
            if isinstance(item, Exception):
                raise item
            yield item
            self._bytes -= _size(self._waiting.popleft())
        self._waiting = None


def _size(item: Item) -> int:
    return len(item) if isinstance(item, bytes) else 0


@dataclass(frozen=True)
class Subscription:
    """What a client subscribed to. `run` executes the operation for one event.

    Equal subscriptions of callers with the same role in the organization and the same scopes have equal keys.
    """

    key: Hashable
    caller: Caller
    source: Source
    run: Run


class Group:
    """Equal subscriptions. There is a task only while the group reads events.

    The group is the flag of its reader of the feed: `set` says that the feed has grown, and starts the task.
    """

    __slots__ = (
        "_context",
        "_event_id",
        "_has_grown",
        "_idle",
        "_members",
        "_read",
        "_turn",
        "callers",
        "cursor",
        "extent",
        "has_read",
        "key",
        "pending",
        "reader",
        "run",
        "source",
        "task",
    )

    def __init__(
        self, subscription: Subscription, key: Hashable, read: Callable[["Group"], Coroutine[Any, Any, None]]
    ) -> None:
        """`read` delivers the events after the cursor."""
        caller = subscription.caller
        self.source = subscription.source
        self.run = subscription.run
        self.key = key
        self.callers: dict[str, Caller] = {}  # by actor
        self.pending: set[Subscriber] = set()  # that haven't got the present event yet
        self.extent = Extent.TEAMS  # of the rights that the results depend on, as far as is known
        self.cursor = self.source.after
        self.has_read = self.cursor is None  # a cursor of a client may be of another database
        self.reader = Reader(caller.organization_id, caller, self, actor_ids=self.callers.keys())
        self.task: asyncio.Task[None] | None = None
        self._members: dict[str, set[Subscriber]] = {}  # by actor
        self._event_id = ""
        self._turn = 0
        self._read = read
        self._has_grown = False
        self._idle: asyncio.TimerHandle | None = None
        # Each error has the request id of the first subscriber.
        self._context = detached_context("request_id", "actor", "organization")

    def add(self, subscriber: Subscriber, caller: Caller) -> None:
        subscriber.group, subscriber.actor_id = self, caller.actor_id
        self.callers[caller.actor_id] = caller
        self._members.setdefault(caller.actor_id, set()).add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        subscriber.group = None
        self.pending.discard(subscriber)
        own = self._members[subscriber.actor_id]
        own.discard(subscriber)
        if not own:
            del self._members[subscriber.actor_id], self.callers[subscriber.actor_id]

    def __iter__(self) -> Iterator[Subscriber]:
        return (each for own in self._members.values() for each in own)

    @property
    def is_empty(self) -> bool:
        return not self.callers

    def payer(self, actor_ids: Collection[str], may_spend: Callable[[Caller], bool]) -> Caller:
        """Choose the caller who pays for what these share: in turn, and whose budget isn't used up if possible."""
        self._turn += 1
        ids = list(actor_ids)
        in_turn = (self.callers[ids[(self._turn + number) % len(ids)]] for number in range(len(ids)))
        return next(filter(may_spend, in_turn), self.callers[ids[0]])

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

    def begin(self, event_id: str) -> None:
        """Begin to deliver an event, or go on after a failure with those that haven't got it."""
        if event_id != self._event_id:
            self._event_id, self.pending = event_id, set(self)

    def pending_actors(self) -> frozenset[str]:
        return frozenset(each.actor_id for each in self.pending)

    def skip(self, actor_ids: Collection[str]) -> None:
        """Deliver the present event to none of these."""
        self.pending = {each for each in self.pending if each.actor_id not in actor_ids}

    async def deliver(self, result: bytes, actor_ids: Collection[str]) -> None:
        """Deliver the result to the actors, without keeping other work from the event loop for long."""
        for actor_id in actor_ids:
            for each in list(self._members.get(actor_id, ())):
                await next_turn()
                if each in self.pending:
                    self.pending.discard(each)
                    if not each.deliver(result):
                        self.remove(each)

    def end(self, reason: Exception) -> None:
        """End all subscriptions. They get the results that wait first."""
        for each in list(self):
            each.deliver(reason)

    def close(self) -> None:
        """Stop reading: there are no subscribers any more."""
        self._stop_idling()
        if self.task is not None:
            self.task.cancel()
