"""Turns of long work: it is cut into slices, and each iteration of the event loop runs one slice of all such work.

Yielding alone isn't enough: if ten operations each work for a millisecond whenever it is their turn, all other requests
wait ten milliseconds for each of their steps.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from threading import local
from time import perf_counter

SLICE = 0.0005  # seconds


class _Turns:
    """Runs the tasks that wait for a turn, first in, first out, one in each iteration of the loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.began = 0.0  # when the present slice did
        self._waiting: deque[Future[None]] = deque()

    async def wait(self) -> None:
        turn = self.loop.create_future()
        if not self._waiting:
            self.loop.call_soon(self._start_next)
        self._waiting.append(turn)
        await turn
        self.began = perf_counter()

    def _start_next(self) -> None:
        turn = self._waiting.popleft()
        if self._waiting:
            self.loop.call_soon(self._start_next)
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
