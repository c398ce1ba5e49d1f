"""Turns of callers: each begins its requests one after the other, so that those of others run in between."""

import time
from asyncio import Future, get_running_loop
from collections import deque
from typing import Protocol

from mainsheet.server.operations.admission import CallerKey, overloaded
from mainsheet.server.operations.buckets import Buckets, Clock

# Requests of a caller, less those that were answered. If there are more, its next requests begin slowly.
ABANDONED_PER_MINUTE = 60
SLOW_SECONDS = 0.02  # between two requests that begin slowly, or are dropped since their clients have left
MOST_SLOW = 200  # requests of a caller that wait to begin slowly; others are refused


class Turn(Protocol):
    """A request that waits for the turn of its caller."""

    @property
    def is_open(self) -> bool:
        """Whether its client is still there, as far as is known."""

    def pause(self) -> None:
        """Read no more from the client. The end of the connection isn't noticed then."""

    def resume(self) -> None:
        """Read from the client again. If it has left, `is_open` is false soon."""

    def begin(self) -> None:
        """Begin the request, unless its client has left."""

    def refuse(self) -> None:
        """Answer the request with an error, as too many others wait."""


class RequestTurns:
    """Begins the requests of a caller in the order of their arrival, one in each iteration of the event loop.

    If all requests that arrive together began in one iteration, a caller with many connections could make the others
    wait for many milliseconds, and even more if its clients leave at once, since cancelling takes longer. If clients of
    a caller abandon too many requests, which means that they leave before the answer, its next ones begin slowly, and
    not at all if the client has left.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._waiting: dict[CallerKey, deque[Turn]] = {}  # of the callers that began a request in this iteration
        self._slow: dict[CallerKey, deque[Turn]] = {}
        self._patience = Buckets(ABANDONED_PER_MINUTE, clock)

    async def wait(self, caller: CallerKey) -> None:
        """Wait for the turn of a request that was parsed already."""
        turn = _ParsedRequest()
        if not self.begins_now(caller, turn):
            await turn.future

    def begins_now(self, caller: CallerKey, turn: Turn) -> bool:
        """Return whether a request begins now. If not, `turn` begins it at the caller's turn, or is refused at once."""
        if caller in self._slow or self._patience.left(caller) < 0:
            self._wait_slowly(caller, turn)
            return False
        if caller in self._waiting:
            self._waiting[caller].append(turn)
            return False
        self._queue(caller, deque())
        return True

    def ended(self, caller: CallerKey, *, is_answered: bool) -> None:
        """Record that a request which had begun was answered, or abandoned."""
        patience = self._patience.left(caller)
        if is_answered:
            if patience < ABANDONED_PER_MINUTE:
                self._patience.of(caller).charge(-1)
        elif patience > -ABANDONED_PER_MINUTE:  # a minute after the last one, requests begin as usual
            self._patience.of(caller).charge(1)

    def _wait_slowly(self, caller: CallerKey, turn: Turn) -> None:
        if caller not in self._slow:
            self._slow[caller] = deque()
            get_running_loop().call_soon(self._begin_slowly, caller)
        if len(self._slow[caller]) < MOST_SLOW:
            turn.pause()
            self._slow[caller].append(turn)
        else:
            turn.refuse()

    def _queue(self, caller: CallerKey, turns: deque[Turn]) -> None:
        """Let these begin in the next iterations, one in each, before others of their caller."""
        if not self._waiting:
            get_running_loop().call_soon(self._begin_next)
        self._waiting.setdefault(caller, deque()).extend(turns)

    def _begin_next(self) -> None:
        """Begin the next request of each caller, in the next iteration."""
        self._waiting = {caller: waiting for caller, waiting in self._waiting.items() if _begins(waiting)}
        if self._waiting:
            get_running_loop().call_soon(self._begin_next)

    def _begin_slowly(self, caller: CallerKey) -> None:
        """Begin the caller's next request if its client is still there, and the one after it later."""
        waiting, loop = self._slow[caller], get_running_loop()
        if not waiting or self._patience.left(caller) >= 0:
            self._queue(caller, self._slow.pop(caller))
            return
        turn = waiting.popleft()
        turn.resume()
        # uvloop calls timers, then callbacks, and reads after that: only the callback of a callback comes later.
        loop.call_soon(loop.call_soon, turn.begin)
        loop.call_later(SLOW_SECONDS, self._begin_slowly, caller)


class _ParsedRequest:
    """A request that was parsed already. If its client leaves, the task that waits for the future is cancelled."""

    def __init__(self) -> None:
        self.future: Future[None] = get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        return not self.future.done()

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def begin(self) -> None:
        if self.is_open:
            self.future.set_result(None)

    def refuse(self) -> None:
        self.future.set_exception(overloaded())


def _begins(waiting: deque[Turn]) -> bool:
    """Begin the first of these requests whose client hasn't left, and return whether there is one."""
    while waiting:
        turn = waiting.popleft()
        if turn.is_open:
            get_running_loop().call_soon(turn.begin)
            return True
    return False
