"""A TCP proxy to the database that can cut, block and slow down connections, and drop notifications."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

CHUNK = 64 * 1024
NOTIFICATION = b"A"  # the type of NotificationResponse (PostgreSQL's documentation, 54.7)


@dataclass
class Proxy:
    """Forwards TCP connections to a Unix socket; while `open_` isn't set it accepts, but nothing comes through."""

    socket: Path
    delay_seconds: float = 0  # of each piece, in each direction
    drops_notifications: bool = False
    port: int = 0
    open_: asyncio.Event = field(default_factory=asyncio.Event)
    _pairs: set[asyncio.Task[None]] = field(default_factory=set)

    def swallow(self) -> None:
        self.open_.clear()

    def let_through(self) -> None:
        self.open_.set()

    def forget(self) -> None:
        """Forward new connections but silence the existing ones, as a restarted firewall does."""
        self.open_.clear()
        self.open_ = asyncio.Event()
        self.open_.set()

    def cut(self) -> None:
        """Drop all connections. New ones are accepted."""
        for each in self._pairs:
            each.cancel()

    def url(self, database_url: str) -> str:
        """The database's URL through this proxy."""
        url = make_url(database_url).set(host="127.0.0.1", port=self.port, query={"sslmode": "disable"})
        return url.render_as_string(hide_password=False)

    async def accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        pair = asyncio.create_task(self._joined(reader, writer))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)
        with suppress(asyncio.CancelledError):
            await pair

    async def _joined(self, reader: StreamReader, writer: StreamWriter) -> None:
        open_ = self.open_
        try:
            await open_.wait()
            there, back = await asyncio.open_unix_connection(str(self.socket))
        except OSError:
            writer.transport.abort()
            return
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pumped(self._pieces(reader), back, open_))
                both.create_task(self._pumped(self._messages(there), writer, open_))
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _pumped(self, source: AsyncIterator[bytes], sink: StreamWriter, open_: asyncio.Event) -> None:
        with suppress(ConnectionError):
            async for piece in source:
                await asyncio.sleep(self.delay_seconds)
                await open_.wait()
                sink.write(piece)
                await sink.drain()
        sink.transport.abort()

    async def _pieces(self, source: StreamReader) -> AsyncIterator[bytes]:
        while piece := await source.read(CHUNK):
            yield piece

    async def _messages(self, source: StreamReader) -> AsyncIterator[bytes]:
        """Yield whole messages of PostgreSQL, without notifications while they are dropped."""
        rest = b""
        async for piece in self._pieces(source):
            whole, rest = _split(rest + piece, drops_notifications=self.drops_notifications)
            yield whole


def _split(data: bytes, *, drops_notifications: bool) -> tuple[bytes, bytes]:
    """Return the whole messages and the rest. A message is its type and the length of what follows the type."""
    kept, start, at = [], 0, 0
    while (end := at + 1 + int.from_bytes(data[at + 1 : at + 5])) <= len(data) and at + 5 <= len(data):
        if drops_notifications and data[at : at + 1] == NOTIFICATION:
            kept.append(data[start:at])
            start = end
        at = end
    return b"".join([*kept, data[start:at]]), data[at:]


@asynccontextmanager
async def proxy_to(socket: Path, address: str = "127.0.0.1") -> AsyncIterator[Proxy]:
    proxy = Proxy(socket)
    proxy.let_through()
    server = await asyncio.start_server(proxy.accept, address, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
        proxy.cut()
