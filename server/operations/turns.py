"""Turns of requests: each iteration of the event loop begins one request of each caller, at most."""

from asyncio import Future, get_running_loop
from collections import deque
from time import monotonic

from mainsheet.server.operations.admission import CallerKey
from mainsheet.server.operations.buckets import Clock


class RequestTurns:
    """Begins the requests of a caller in the order of their arrival.

    Requests that arrive together would all be read, checked and perhaps refused in one iteration. A caller with many
    connections could so make the others wait for many milliseconds. So after its first request of a millisecond, which
    is longer than most iterations, one more begins in each of the next iterations. A caller with few requests needs
    none of its own: one with nothing else to do costs a system call.
    """

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._millisecond = 0
        self._begun: set[CallerKey] = set()  # in this millisecond
        self._waiting: dict[CallerKey, deque[Future[None]]] = {}

    async def wait(self, caller: CallerKey) -> None:
        """Wait while other requests of this caller begin."""
        waiting = self._waiting.get(caller)
        if waiting is None:
            if self._is_first(caller, int(self._clock() * 1000)):
                return
            if not self._waiting:
                get_running_loop().call_soon(self._begin_next)
            waiting = self._waiting[caller] = deque()
        turn = get_running_loop().create_future()
        waiting.append(turn)
        await turn

    def _is_first(self, caller: CallerKey, millisecond: int) -> bool:
        """Return whether the caller began no request in this millisecond, and record that it does now."""
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            self._begun.clear()
        elif caller in self._begun:
            return False
        self._begun.add(caller)
        return True

    def _begin_next(self) -> None:
        """Begin the next request of each caller that has some, in the next iteration."""
        self._waiting = {caller: waiting for caller, waiting in self._waiting.items() if _begins(waiting)}
        if self._waiting:
            get_running_loop().call_soon(self._begin_next)


def _begins(waiting: deque[Future[None]]) -> bool:
    """Begin the first of these requests that wasn't cancelled, and return whether there was one."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return True
    return False
