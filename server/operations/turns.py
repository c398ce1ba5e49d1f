"""Turns of callers: each begins its requests one after the other, so that those of others run in between."""

import time
from asyncio import get_running_loop
from collections import deque
from typing import Protocol

from mainsheet.server.operations.admission import CallerKey
from mainsheet.server.operations.buckets import Buckets, Clock

LEFT_PER_MINUTE = 60  # unanswered requests whose clients left, without as many answered ones; more are begun slowly
SLOW_SECONDS = 0.02  # between two requests that are begun slowly


class Waiting(Protocol):
    """A connection whose request waits for the turn of its caller."""

    @property
    def is_open(self) -> bool: ...

    def pause(self) -> None:
        """Stop reading. That the client leaves isn't noticed then."""

    def look(self) -> None:
        """Find out by the next iteration of the event loop whether the client has left."""

    def begin(self) -> None:
        """Begin the request, unless the client has left."""


class RequestTurns:
    """Begins the requests of a caller in the order of their arrival, one in each iteration of the event loop.

    Requests that arrive together would all be read, checked and perhaps refused in one iteration. A caller with many
    connections could so make the others wait for many milliseconds. If its clients leave at once, to cancel their
    requests takes even longer. Requests of such a caller begin slowly, and only if the client is still there.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._waiting: dict[CallerKey, deque[Waiting]] = {}  # of the callers that began a request in this iteration
        self._slow: dict[CallerKey, deque[Waiting]] = {}
        self._left = Buckets(LEFT_PER_MINUTE, clock)

    def may_begin(self, caller: CallerKey, connection: Waiting) -> bool:
        """Return whether a request may begin now. If not, the connection is asked to begin it at the caller's turn."""
        if caller in self._slow:
            connection.pause()
            self._slow[caller].append(connection)
            return False
        if self._left.left(caller) < 0:
            connection.pause()
            self._slow[caller] = deque([connection])
            get_running_loop().call_soon(self._look_at_next, caller)
            return False
        waiting = self._waiting.get(caller)
        if waiting is not None:
            waiting.append(connection)
            return False
        if not self._waiting:
            get_running_loop().call_soon(self._begin_next)
        self._waiting[caller] = deque()
        return True

    def ended(self, caller: CallerKey, *, is_answered: bool) -> None:
        """Record that a request was answered, or that its client left before."""
        left = self._left.left(caller)
        if is_answered:
            if left < LEFT_PER_MINUTE:
                self._left.of(caller).charge(-1)
        elif left > -LEFT_PER_MINUTE:  # so that requests begin slowly for at most a minute after the last one left
            self._left.of(caller).charge(1)

    def _begin_next(self) -> None:
        """Begin the next request of each caller, in the next iteration."""
        self._waiting = {caller: waiting for caller, waiting in self._waiting.items() if _begins(waiting)}
        if self._waiting:
            get_running_loop().call_soon(self._begin_next)

    def _look_at_next(self, caller: CallerKey) -> None:
        waiting = self._slow[caller]
        if waiting:
            connection = waiting.popleft()
            connection.look()
            get_running_loop().call_soon(self._begin_slowly, caller, connection)
        else:
            del self._slow[caller]

    def _begin_slowly(self, caller: CallerKey, connection: Waiting) -> None:
        loop = get_running_loop()
        if connection.is_open:
            loop.call_soon(connection.begin)
            loop.call_later(SLOW_SECONDS, self._look_at_next, caller)
        else:
            loop.call_soon(self._look_at_next, caller)


def _begins(waiting: deque[Waiting]) -> bool:
    """Begin the first of these requests whose client hasn't left, and return whether there is one."""
    while waiting:
        connection = waiting.popleft()
        if connection.is_open:
            get_running_loop().call_soon(connection.begin)
            return True
    return False
