"""The deadline for a client to receive a response."""

import asyncio

import orjson
import pytest

from tests.abuse.wire import connected, post
from tests.server.conftest import Serve

THINGS = 80
NAME = "a" * 250_000
SIZE = THINGS * len(NAME)  # much more than the kernel's buffers hold
DEADLINE = 10


async def test_the_deadline_is_that_of_the_whole_response(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads slowly gets no more time with each part."""
    server = await serve(write_timeout_seconds=DEADLINE, max_answer_bytes=2 * SIZE)
    loop, passed = asyncio.get_running_loop(), 0.0
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + passed)
    query = f"{{ copies(count: {THINGS}) {{ {NAME}: name }} }}"

    received = 0
    async with connected(str(server.url), receives=4_096) as connection, asyncio.timeout(10 * DEADLINE):
        await connection.send(post(orjson.dumps({"query": query}), server.token))
        while chunk := await connection.reader.read(65_536):
            if received < SIZE // 2 <= received + len(chunk) or received < SIZE * 3 // 4 <= received + len(chunk):
                passed += 0.6 * DEADLINE
            received += len(chunk)

    assert SIZE * 3 // 4 < received < SIZE
