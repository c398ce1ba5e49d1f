"""The signals that stop a server, and how long it lingers."""

import asyncio
import signal

import structlog

# How long a stopping process still answers on kept-alive connections: a request may already be on its way.
LINGER_SECONDS = 1

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
