"""The deadline for a client to read, on a connection with a stream, which may last for days."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from mainsheet.models.instrumentation import Instruments
from mainsheet.server.http.client_address import Clients
from mainsheet.server.http.connections import Connections, Deadlines
from mainsheet.server.http.protocol import Protocol

DEADLINE = 60


class Transport(asyncio.Transport):
    is_aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.is_aborted = True


def connected(transport: Transport) -> Protocol:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response()

    deadlines = Deadlines(header=1e6, idle=1e6, write=DEADLINE)
    connections = Connections(1, 1, deadlines, Clients(()), Instruments())
    protocol = Protocol(
        web.Server(handle), connections=connections, early_refusal=cast("Any", None), loop=asyncio.get_running_loop()
    )
    protocol.connection_made(transport)
    return protocol


@pytest.mark.parametrize("is_stream", [True, False])
async def test_each_pause_of_a_stream_has_a_deadline_of_its_own(
    *, is_stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Transport()
    protocol = connected(transport)
    if is_stream:
        protocol.begin_stream()
    loop, passed = asyncio.get_running_loop(), 0
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + passed)
    protocol.pause_writing()
    protocol.resume_writing()
    passed = DEADLINE + 1
    protocol.pause_writing()
    for _ in range(3):
        await asyncio.sleep(0)

    assert transport.is_aborted != is_stream
    protocol.connection_lost(None)


async def test_a_cancelled_writer_does_not_end_the_others() -> None:
    protocol = connected(Transport())
    protocol.pause_writing()
    cancelled, waiting = (asyncio.create_task(protocol._drain_helper()) for _ in range(2))  # noqa: SLF001 aiohttp calls it
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    protocol.resume_writing()

    await waiting
    assert cancelled.cancelled()
    protocol.connection_lost(None)
