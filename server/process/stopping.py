"""The signals that stop a server, and how long it lingers."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

# How long a stopping process still answers on kept-alive connections: a request may already be on its way.
LINGER_SECONDS = 1

Received = Callable[[], Awaitable[signal.Signals]]

log = structlog.stdlib.get_logger("mainsheet")


class StopSignals:
    """Receives SIGTERM, SIGINT and the signals `more` from now on."""

    def __init__(self, *more: signal.Signals) -> None:
        self._signals = (signal.SIGTERM, signal.SIGINT, *more)
        self._received = asyncio.Queue[signal.Signals]()
        for each in self._signals:
            asyncio.get_running_loop().add_signal_handler(each, self._received.put_nowait, each)

    async def first(self) -> signal.Signals:
        """Wait for the first signal and return it. A second one finds the default handlers and ends the process."""
        first = await self._received.get()
        log.info("stopping", signal=first.name)
        for each in self._signals:
            asyncio.get_running_loop().remove_signal_handler(each)
        return first

    @asynccontextmanager
    async def cancelling(self) -> AsyncIterator[Received]:
        """Let the first signal cancel what runs inside, until the function that is yielded waits for it."""
        first = asyncio.create_task(self.first(), name="stop signals")
        is_awaited = False
        try:
            async with asyncio.timeout(None) as limit:

                def cancel(_first: asyncio.Task[signal.Signals]) -> None:
                    if not is_awaited:  # this may run after `received` was called, if the signal has come just before
                        limit.reschedule(0)

                async def received() -> signal.Signals:
                    nonlocal is_awaited
                    is_awaited = True
                    return await first

                first.add_done_callback(cancel)
                try:
                    yield received
                finally:
                    first.remove_done_callback(cancel)
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            first.cancel()
