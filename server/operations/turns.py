"""Turns of callers: each begins its requests one after the other, so that those of others run in between."""

import time
from asyncio import Future, get_running_loop
from collections import deque
from typing import Protocol

from mainsheet.server.operations.admission import CallerKey, overloaded
from mainsheet.server.operations.buckets import Buckets, Clock

LEFT_PER_MINUTE = 60  # requests of a caller whose clients left, beyond as many as were answered; others begin slowly
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

    Requests that arrive together would all be read, checked and perhaps refused in one iteration. A caller with many
    connections could so make the others wait for many milliseconds. If its clients leave at once, to cancel their
    requests takes even longer. Requests of such a caller begin slowly, and not at all if the client has left.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._waiting: dict[CallerKey, deque[Turn]] = {}  # of the callers that began a request in this iteration
        self._slow: dict[CallerKey, deque[Turn]] = {}
        self._patience = Buckets(LEFT_PER_MINUTE, clock)

    async def wait(self, caller: CallerKey) -> None:
        """Wait for the turn of a request that was read already."""
        turn = _Read()
        if not self.may_begin(caller, turn):
            await turn.future

    def may_begin(self, caller: CallerKey, turn: Turn) -> bool:
        """Return whether a request may begin now. If not, `turn.begin()` is called at the caller's turn."""
        if caller in self._slow or self._patience.left(caller) < 0:
            self._wait_slowly(caller, turn)
            return False
        if caller in self._waiting:
            self._waiting[caller].append(turn)
            return False
        self._wait_behind(caller, deque())
        return True

    def ended(self, caller: CallerKey, *, is_answered: bool) -> None:
        """Record that a request which had begun was answered, or that its client left before."""
        patience = self._patience.left(caller)
        if is_answered:
            if patience < LEFT_PER_MINUTE:
                self._patience.of(caller).charge(-1)
        elif patience > -LEFT_PER_MINUTE:  # a minute after the last one left, requests begin as usual
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

    def _wait_behind(self, caller: CallerKey, turns: deque[Turn]) -> None:
        """Let these begin in the next iterations, one in each."""
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
            self._wait_behind(caller, self._slow.pop(caller))
            return
        turn = waiting.popleft()
        turn.resume()
        # uvloop calls timers, then callbacks, and reads after that: only the callback of a callback comes later.
        loop.call_soon(loop.call_soon, turn.begin)
        loop.call_later(SLOW_SECONDS, self._begin_slowly, caller)


class _Read:
    """The turn of a request that was read already. Its end is noticed in any case: it cancels the future."""

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
