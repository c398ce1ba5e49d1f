"""Writes the log's lines. Those of requests are written a few at a time."""

import asyncio
import logging
import select
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from structlog.typing import EventDict

FLUSH_SECONDS = 0.1
MOST_BYTES = select.PIPE_BUF  # of one write: more could be mixed up with that of another worker in the same pipe


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes a line at once, or within a tenth of a second if it may wait, and all lines in their order.

    Waiting lines are written together: a write of its own, and the way through structlog and logging, would make the
    line of a request cost a quarter of the request's time.
    """

    def __init__(self, stream: TextIO | None, render: Callable[[EventDict], str]) -> None:
        super().__init__(stream)
        self._render = render
        self._waiting: list[str] = []
        self._bytes = 0

    def write_soon(self, event: EventDict) -> None:
        """Write a complete line soon. Called in the event loop."""
        line = self._render(event) + self.terminator
        size = len(line) if line.isascii() else len(line.encode(errors="replace"))
        self.acquire()
        try:
            if self._bytes + size > MOST_BYTES:
                self.flush()
            if not self._waiting:
                asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
            self._waiting.append(line)
            self._bytes += size
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        self.flush()
        super().emit(record)

    def flush(self) -> None:
        """Write the waiting lines. `logging` calls this at the end of the process, too."""
        self.acquire()
        try:
            lines, self._waiting, self._bytes = self._waiting, [], 0
            with suppress(OSError, ValueError):  # a server goes on if its log is full or closed
                self.stream.write("".join(lines))
                super().flush()
        finally:
            self.release()
