"""Turns of long work: it is cut into slices, and each iteration of the event loop runs one slice of all such work.

Yielding alone isn't enough: if ten operations each work for a millisecond whenever it is their turn, all other requests
wait ten milliseconds for each of their steps.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from time import perf_counter
from weakref import WeakKeyDictionary

SLICE = 0.0005  # seconds


class _Turns:
    """Runs the tasks that wait for a turn, first in, first out, one in each iteration of its loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Future[None]] = deque()
        self._ends = 0.0

    async def wait(self) -> None:
        if perf_counter() < self._ends:
            return
        turn = self._loop.create_future()
        if not self._waiting:
            self._loop.call_soon(self._start_next)
        self._waiting.append(turn)
        await turn
        self._ends = perf_counter() + SLICE

    def _start_next(self) -> None:
        turn = self._waiting.popleft()
        if self._waiting:
            self._loop.call_soon(self._start_next)
        if not turn.done():  # cancelled
            turn.set_result(None)


_TURNS: WeakKeyDictionary[AbstractEventLoop, _Turns] = WeakKeyDictionary()


async def next_turn() -> None:
    """Wait for the next turn if the present one has lasted for a slice. Call it between small steps of long work."""
    loop = get_running_loop()
    turns = _TURNS.get(loop)
    if turns is None:
        turns = _TURNS[loop] = _Turns(loop)
    await turns.wait()
