"""Messages of a WebSocket that arrive together let others run, and wait in the kernel while answers do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import WSMsgType

from mainsheet.server.live.stream import Streams
from mainsheet.server.live.websocket import SUBPROTOCOL, Connection
from mainsheet.server.paths import GRAPHQL_PATH
from testbed.world import World
from tests.abuse import wire
from tests.live.conftest import Live, Start

MANY = 2_000
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": SUBPROTOCOL,
}


class Iterations:
    """Counts what happens in each iteration of the event loop."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self._number = 0
        self._begin_next()

    def note(self) -> None:
        self.counts[self._number] += 1

    def _begin_next(self) -> None:
        self._number += 1
        asyncio.get_running_loop().call_soon(self._begin_next)


def after_each_message(monkeypatch: pytest.MonkeyPatch, note: Callable[[Connection], None]) -> None:
    receive = Connection._receive  # noqa: SLF001 there is nothing public between two messages

    async def noted(connection: Connection, message: Mapping[str, Any]) -> None:
        await receive(connection, message)
        note(connection)

    monkeypatch.setattr(Connection, "_receive", noted)


def text(**message: Any) -> bytes:
    return frame(WSMsgType.TEXT, orjson.dumps(message))


def frame(kind: WSMsgType, data: bytes) -> bytes:
    """Return a short frame from a client, with a mask of zeros (RFC 6455, section 5.2)."""
    return bytes([0x80 | kind, 0x80 | len(data)]) + bytes(4) + data


@asynccontextmanager
async def socket(live: Live) -> AsyncIterator[wire.Connection]:
    async with live.http.get("/livez") as response, wire.connected(str(response.url)) as connection:
        await connection.send(wire.get(GRAPHQL_PATH, **UPGRADE))
        assert (await connection.response()).status == 101
        yield connection


@asynccontextmanager
async def begun_socket(live: Live, world: World) -> AsyncIterator[wire.Connection]:
    authorization = f"Bearer {await live.secret(world.viewer)}"
    async with socket(live) as connection:
        await connection.send(text(type="connection_init", payload={"Authorization": authorization}))
        await connection.reader.readuntil(b'{"type":"connection_ack"}')
        yield connection


async def test_messages_that_arrive_together_let_others_run(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    iterations = Iterations()
    after_each_message(monkeypatch, lambda _: iterations.note())
    async with socket(live) as connection:
        await connection.send(text(type="pong") * MANY + text(type="ping"))
        await connection.reader.readuntil(b'{"type":"pong"}')

    assert iterations.counts.total() == MANY + 1
    assert max(iterations.counts.values()) < MANY / 4


async def test_operations_of_a_caller_begin_one_after_the_other(
    live: Live, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterations, begun = Iterations(), Streams.begun

    async def noted(streams: Streams, *arguments: Any) -> Any:
        iterations.note()
        return await begun(streams, *arguments)

    monkeypatch.setattr(Streams, "begun", noted)
    async with begun_socket(live, world) as connection:
        query = {"query": "{ __typename }"}
        await connection.send(b"".join(text(type="subscribe", id=f"{number}", payload=query) for number in range(10)))
        for _ in range(10):
            await connection.reader.readuntil(b'"complete"')

    assert set(iterations.counts.values()) == {1}


async def test_operations_beyond_the_limit_arent_kept(
    start: Start, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    after_each_message(monkeypatch, lambda connection: kept.append(len(connection.operations)))
    live = await start(max_operations_per_connection=1)
    async with begun_socket(live, world) as connection:
        query = {"query": "subscription { events { id } }"}
        await connection.send(b"".join(text(type="subscribe", id=f"{number}", payload=query) for number in range(10)))
        for _ in range(9):
            await connection.reader.readuntil(b'"RATE_LIMITED"')

    assert max(kept) == 1
