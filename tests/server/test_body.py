"""Inflating a body yields to the event loop and stops at the limit."""

import asyncio
import zlib

import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from mainsheet.executor import turns
from mainsheet.server.errors import RequestError
from mainsheet.server.http.body import STEP, BodyLimits, read_body


def packed(size: int) -> web.Request:
    content = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2**20)
    content.feed_data(zlib.compress(bytes(size)))
    content.feed_eof()
    return make_mocked_request("POST", "/", {"Content-Encoding": "deflate"}, payload=content)


@pytest.mark.parametrize("size", [0, 1, STEP - 1, STEP, STEP + 1, 10 * STEP])
async def test_a_body_up_to_the_limit_is_inflated(size: int) -> None:
    assert await read_body(packed(size), BodyLimits(size, 60)) == bytes(size)


async def test_inflating_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0)
    monkeypatch.setattr(turns, "APART", 1)
    iterations = 0

    async def count() -> None:
        nonlocal iterations
        while True:
            iterations += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    with pytest.raises(RequestError) as refusal:
        await read_body(packed(1_000 * STEP), BodyLimits(10 * STEP, 60))
    counting.cancel()

    assert refusal.value.status == 413
    assert 10 <= iterations <= 25  # two for each step of the inflation
