"""Turns of long work: it is cut into slices, and of all such work one slice runs in every few iterations of the loop.

Yielding alone isn't enough: if ten operations each work for a millisecond whenever it is their turn, all other requests
wait ten milliseconds for each of their steps. A request takes several steps, each in an iteration of its own, so that
even one slice in each iteration would delay it many times.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from threading import local
from time import perf_counter

SLICE = 0.0003  # seconds
APART = 6  # iterations of the event loop between two slices: an empty one takes some microseconds
MOST_APART = 0.001  # seconds, so that many short requests don't stop long work


class _Turns:
    """Runs the tasks that wait for a turn, first in, first out."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.began = 0.0  # when the present slice did
        self._waiting: deque[Future[None]] = deque()

    async def wait(self) -> None:
        turn = self.loop.create_future()
        if not self._waiting:
            self.loop.call_soon(self._pause, APART - 1)
        self._waiting.append(turn)
        await turn
        self.began = perf_counter()

    def _pause(self, iterations: int) -> None:
        """Start the next turn after so many more iterations, or when the last one is long ago."""
        if iterations and perf_counter() - self.began < SLICE + MOST_APART:
            self.loop.call_soon(self._pause, iterations - 1)
        else:
            self._start_next()

    def _start_next(self) -> None:
        turn = self._waiting.popleft()
        self.began = perf_counter()
        if self._waiting:
            self.loop.call_soon(self._pause, APART - 1)
        if not turn.done():  # cancelled
            turn.set_result(None)


class _Thread(local):
    turns: _Turns | None = None


_THREAD = _Thread()


async def next_turn() -> None:
    """Wait for the next turn if the present one has lasted for a slice. Call it between small steps of long work."""
    turns = _THREAD.turns
    if turns is not None and perf_counter() - turns.began < SLICE:
        return
    loop = get_running_loop()  # a system call until Python 3.12
    if turns is None or turns.loop is not loop:
        turns = _THREAD.turns = _Turns(loop)
    await turns.wait()
