"""When a signal stops a process."""

import asyncio
import os
import signal

from mainsheet.server.process.stopping import StopSignals


class Announced(StopSignals):
    """Tells that a signal was received one step of the event loop before others can know it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_received = asyncio.Event()

    async def first(self) -> signal.Signals:
        received = await super().first()
        self.is_received.set()
        return received


async def test_a_signal_cancels_what_runs() -> None:
    async with StopSignals().cancelling():
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()


async def test_a_signal_right_before_it_is_awaited_cancels_nothing() -> None:
    signals, stopped = Announced(), asyncio.Event()
    async with signals.cancelling() as received:
        os.kill(os.getpid(), signal.SIGTERM)
        await signals.is_received.wait()

        assert await received() is signal.SIGTERM
        asyncio.get_running_loop().call_later(0.01, stopped.set)
        await stopped.wait()

    assert stopped.is_set()
