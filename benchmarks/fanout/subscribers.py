"""Many WebSocket clients in one process, as cheap as can be: each is a protocol of asyncio without a task."""

import asyncio
import base64
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import orjson

from benchmarks.load import address

AT_ONCE = 100  # connections that are opened at a time
PATIENCE = 60
MARK = re.compile(rb"tick-(\d+)")
TEXT, CLOSE, PING = 0x1, 0x8, 0x9
NO_MASK = bytes(4)  # a mask of zeros leaves the content as it is
SHORT, OF_16_BITS, OF_64_BITS = 126, 126, 127


class Unexpected(Exception):
    """The server has closed a connection, or sent something else than an event."""


@dataclass
class Arrivals:
    """When each numbered event arrived, at all subscribers together."""

    times: dict[int, list[float]] = field(default_factory=dict)
    wanted: dict[int, tuple[int, asyncio.Future[None]]] = field(default_factory=dict)

    def expect(self, number: int, count: int) -> asyncio.Future[None]:
        """Return a future that is done when so many subscribers have the event."""
        self.times[number] = []
        whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.wanted[number] = count, whole
        return whole

    def note(self, number: int) -> None:
        found = self.times[number]
        found.append(time.perf_counter())
        count, whole = self.wanted[number]
        if len(found) >= count and not whole.done():
            whole.set_result(None)

    def fail(self, error: Unexpected) -> None:
        for _, whole in self.wanted.values():
            if not whole.done():
                whole.set_exception(error)


def frame(opcode: int, content: bytes) -> bytes:
    """Return a client's frame."""
    length = len(content)
    size = bytes([0x80 | length]) if length < SHORT else bytes([0x80 | OF_16_BITS]) + length.to_bytes(2)
    return bytes([0x80 | opcode]) + size + NO_MASK + content


class Subscriber(asyncio.Protocol):
    def __init__(self, url: str, headers: Mapping[str, str], document: str, arrivals: Arrivals) -> None:
        self.url = url
        self.headers = headers
        self.document = document
        self.arrivals = arrivals
        self.received = b""
        self.is_open = False
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        target = urlsplit(self.url)
        fields = {
            "Host": target.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "graphql-transport-ws",
            **self.headers,
        }
        lines = [f"GET {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        received = self.received + data if self.received else data
        if not self.is_open:
            received = self._opened(received)
        while (end := _end(received)) is not None:
            begin, until = end
            self._frame(received[0] & 0xF, received[begin:until])
            received = received[until:]
        self.received = received

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.subscribed.done():
            self.subscribed.set_exception(exc or Unexpected(self.received[:500]))

    def _opened(self, received: bytes) -> bytes:
        head, found, rest = received.partition(b"\r\n\r\n")
        if not found:
            return received
        if not head.startswith(b"HTTP/1.1 101"):
            raise Unexpected(received[:500])
        self.is_open = True
        self.transport.write(frame(TEXT, b'{"type":"connection_init"}'))
        return rest

    def _frame(self, opcode: int, content: bytes) -> None:
        if opcode == TEXT:
            self._message(content)
        elif opcode == PING:
            self.transport.write(frame(0xA, content))
        elif opcode == CLOSE:
            self.transport.close()

    def _message(self, content: bytes) -> None:
        if mark := MARK.search(content):
            self.arrivals.note(int(mark[1]))
        elif b'"connection_ack"' in content:
            message = {"id": "1", "type": "subscribe", "payload": {"query": self.document}}
            self.transport.write(frame(TEXT, orjson.dumps(message)))
            self.subscribed.set_result(None)
        elif b'"ping"' in content:
            self.transport.write(frame(TEXT, b'{"type":"pong"}'))
        else:
            self.arrivals.fail(Unexpected(content[:1000]))


def _end(received: bytes) -> tuple[int, int] | None:
    """Return where the content of the first frame begins and ends, or None if it isn't whole."""
    if len(received) < 2:  # noqa: PLR2004 the shortest header
        return None
    size, begin = received[1] & 0x7F, 2
    if size == OF_16_BITS:
        size, begin = int.from_bytes(received[2:4]), 4
    elif size == OF_64_BITS:
        size, begin = int.from_bytes(received[2:10]), 10
    end = begin + size
    return (begin, end) if len(received) >= end else None


def _same(subscriber: Subscriber) -> Subscriber:
    return subscriber


async def opened(
    url: str, headers: Sequence[Mapping[str, str]], document: str, arrivals: Arrivals
) -> Sequence[Subscriber]:
    """Connect a subscriber with each of these headers."""
    (host, port), loop, subscribers = address(url), asyncio.get_running_loop(), []
    for begin in range(0, len(headers), AT_ONCE):
        some = [Subscriber(url, each, document, arrivals) for each in headers[begin : begin + AT_ONCE]]
        async with asyncio.timeout(PATIENCE):
            connecting = [loop.create_connection(partial(_same, each), host, port) for each in some]
            await asyncio.gather(*connecting)
            await asyncio.gather(*[each.subscribed for each in some])
        subscribers += some
    return subscribers
