"""Writes the log's lines. Those of requests are written a few at a time."""

import asyncio
import logging
import select
from collections.abc import Callable
from typing import TextIO

import structlog
from structlog.typing import EventDict

FLUSH_SECONDS = 0.1
MOST_BYTES = select.PIPE_BUF  # of one write: more could be mixed up with that of another worker in the same pipe

log = structlog.stdlib.get_logger("mainsheet.log")


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes a line at once, or within a tenth of a second if it may wait, and all lines in their order.

    Waiting lines are written together: a write for each line, and the way through structlog and logging, would take a
    good part of the time of a small request.
    """

    def __init__(self, stream: TextIO | None, render: Callable[[EventDict], str]) -> None:
        super().__init__(stream)
        self._render = render
        self._waiting: list[str] = []
        self._bytes = 0
        self._dropped = 0
        self._loop: asyncio.AbstractEventLoop | None = None  # that of the timer that will write the waiting lines

    def write_soon(self, event: EventDict) -> None:
        """Write a complete line soon. Called in the event loop."""
        line = self._render(event) + self.terminator
        size = len(line)
        if not line.isascii():
            line, size = self._encodable(line)
        self.acquire()
        try:
            if self._bytes + size > MOST_BYTES:
                self.flush()
            self._start_timer()
            self._waiting.append(line)
            self._bytes += size
        finally:
            self.release()

    def _encodable(self, line: str) -> tuple[str, int]:
        """Return the line without characters that the stream can't encode, which would drop other lines, too."""
        encoding = self.stream.encoding or "utf-8"
        encoded = line.encode(encoding, "backslashreplace")
        return encoded.decode(encoding), len(encoded)

    def _start_timer(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # the loop of an earlier timer may have ended before it
            self._loop = loop
            loop.call_later(FLUSH_SECONDS, self._flush_in_time)

    def _flush_in_time(self) -> None:
        self._loop = None
        self.flush()

    def emit(self, record: logging.LogRecord) -> None:
        self.flush()
        super().emit(record)

    def flush(self) -> None:
        """Write the waiting lines. `logging` calls this at the end of the process, too."""
        self.acquire()
        try:
            lines, self._waiting, self._bytes = self._waiting, [], 0
            if self._written(lines):
                self._report_dropped()
        finally:
            self.release()

    def _written(self, lines: list[str]) -> bool:
        """Write the lines. A server goes on if its log is full or closed."""
        try:
            self.stream.write("".join(lines))
            super().flush()
        except (OSError, ValueError):
            self._dropped += len(lines)
            return False
        return bool(lines)

    def _report_dropped(self) -> None:
        count, self._dropped = self._dropped, 0
        if count:
            log.warning("lines of requests dropped", lines=count)
