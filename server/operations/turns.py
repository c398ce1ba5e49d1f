"""Turns of requests: each iteration of the event loop begins one request of each caller."""

from asyncio import Future, get_running_loop
from collections import deque

from mainsheet.server.operations.admission import CallerKey


class RequestTurns:
    """Begins the requests of a caller in the order of their arrival, one in each iteration of the event loop.

    Requests that arrive together would all be read, checked and perhaps refused in one iteration. A caller with many
    connections could so make the others wait for many milliseconds.
    """

    def __init__(self) -> None:
        # By the callers that began a request in this iteration.
        self._waiting: dict[CallerKey, deque[Future[None]]] = {}

    async def wait(self, caller: CallerKey) -> None:
        """Wait while other requests of this caller begin. The first one in an iteration doesn't wait."""
        loop, waiting = get_running_loop(), self._waiting.get(caller)
        if waiting is None:
            if not self._waiting:
                loop.call_soon(self._begin_next)
            self._waiting[caller] = deque()
            return
        turn = loop.create_future()
        waiting.append(turn)
        await turn

    def _begin_next(self) -> None:
        """Begin the next request of each caller, in the next iteration."""
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
