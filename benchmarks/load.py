"""A small load generator: keep-alive connections, each of which sends its next request when the answer is there."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

PATIENCE = 60


class BadAnswer(Exception):
    """An answer other than 200, with errors, or broken off."""


@dataclass
class Burst:
    """Requests drawn in turn until the time is up; those under way are then waited for, so that each counts whole."""

    requests: Iterator[bytes]
    until: float
    latencies: list[float] = field(default_factory=list)


class Received:
    """The bytes of one answer, until it is whole."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._length: int | None = None

    def clear(self) -> None:
        self.data.clear()
        self._length = None

    def add(self, data: bytes) -> bool:
        """Return whether the answer is whole."""
        self.data += data
        if self._length is None:
            end = self.data.find(b"\r\n\r\n")
            if end < 0:
                return False
            length = header(self.data[:end], b"content-length")
            self._length = end + 4 + int(length) if length else 0
        return len(self.data) >= self._length if self._length else self.data.endswith(b"\r\n0\r\n\r\n")


class Connection(asyncio.Protocol):
    def __init__(self, burst: Burst) -> None:
        self.burst = burst
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = Received()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        if not self.received.add(data):
            return
        if not is_good(self.received.data):
            self._fail(BadAnswer(self.received.data[:1000]))
            return
        self.burst.latencies.append(time.perf_counter() - self.sent)
        if time.perf_counter() < self.burst.until:
            self._send()
        else:
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._fail(exc or BadAnswer("The server has closed the connection"))

    def _fail(self, error: Exception) -> None:
        self.done.set_exception(error)
        self.transport.close()

    def _send(self) -> None:
        self.received.clear()
        self.sent = time.perf_counter()
        self.transport.write(next(self.burst.requests))


def header(head: bytes | bytearray, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return bytes(value.strip())
    return None


def is_good(answer: bytes | bytearray) -> bool:
    return answer.startswith(b"HTTP/1.1 200") and b'"errors":' not in answer


def body_of(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    return _joined(body) if b"chunked" in (header(head, b"transfer-encoding") or b"") else body


def _joined(chunks: bytes) -> bytes:
    parts: list[bytes] = []
    while True:
        size, _, chunks = chunks.partition(b"\r\n")
        if not (length := int(size, 16)):
            return b"".join(parts)
        parts.append(chunks[:length])
        chunks = chunks[length + 2 :]


def post(url: str, headers: dict[str, str], body: bytes) -> bytes:
    """Write the bytes of a request, once for all times it is sent."""
    target = urlsplit(url)
    fields = {"Host": target.netloc, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def address(url: str) -> tuple[str, int]:
    """Return the host and the port, which must be in the URL."""
    target = urlsplit(url)
    assert target.hostname
    assert target.port
    return target.hostname, target.port


async def burst(url: str, requests: list[bytes], connections: int, seconds: float) -> list[float]:
    """Return the seconds that each answer took; raise `BadAnswer`, or `TimeoutError` for a server that hangs."""
    (host, port), load = address(url), Burst(cycle(requests), time.perf_counter() + seconds)
    async with asyncio.timeout(seconds + PATIENCE):
        loop = asyncio.get_running_loop()
        opening = [loop.create_connection(lambda: Connection(load), host, port) for _ in range(connections)]
        await asyncio.gather(*[connection.done for _, connection in await asyncio.gather(*opening)])
    return load.latencies


async def ask(url: str, request: bytes) -> bytes:
    """Send one request on a connection of its own."""
    host, port = address(url)
    loop, single = asyncio.get_running_loop(), Burst(iter([request]), 0)
    async with asyncio.timeout(PATIENCE):
        _, connection = await loop.create_connection(lambda: Connection(single), host, port)
        await connection.done
    return body_of(bytes(connection.received.data))
