"""The plane's client repeats what may succeed later, and raises what won't."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from examples.plane.client import Client, Refused


@asynccontextmanager
async def answering(port: int, answers: Sequence[tuple[int, dict[str, Any]]]) -> AsyncIterator[Client]:
    """Serve these answers, one after the other."""
    left = list(answers)

    async def answer(_request: web.Request) -> web.Response:
        status, body = left.pop(0)
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/graphql", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession() as http:
        yield Client(http, f"http://127.0.0.1:{port}/graphql", "token")
    await runner.cleanup()
    assert left == []


def failed(code: str) -> dict[str, Any]:
    return {"data": {"claimRuns": None}, "errors": [{"message": code, "extensions": {"code": code}}]}


async def test_a_passing_failure_is_repeated(unused_tcp_port: int) -> None:
    answers = [(503, {}), (429, {}), (200, failed("INTERNAL_SERVER_ERROR")), (200, {"data": {"me": 1}})]

    async with answering(unused_tcp_port, answers) as ask:
        assert await ask("{ me }") == {"me": 1}


async def test_a_lasting_failure_is_raised(unused_tcp_port: int) -> None:
    async with answering(unused_tcp_port, [(400, failed("BAD_USER_INPUT"))]) as ask:
        with pytest.raises(Refused, match="BAD_USER_INPUT"):
            await ask("{ me }")
