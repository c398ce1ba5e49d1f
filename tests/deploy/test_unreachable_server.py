"""nginx of `deploy/` says what became of a request that no server answered, in GraphQL's shape."""

import asyncio
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from testbed.proxies import balancer, free_port

QUERY = {"query": "{ __typename }"}
READ_SECONDS = 1


@asynccontextmanager
async def silent(*, closes: bool) -> AsyncIterator[int]:
    """Accept requests and never answer. Yield the port."""

    async def accept(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if not closes:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def at(port: int) -> str:
    return f"127.0.0.1:{port}"


@asynccontextmanager
async def through_nginx(*ports: int) -> AsyncIterator[tuple[ClientSession, str]]:
    with (
        tempfile.TemporaryDirectory(prefix="mainsheet-proxy-") as folder,
        balancer(
            Path(folder), f"127.0.0.1:{free_port()}", [f"127.0.0.1:{port}" for port in ports], READ_SECONDS
        ) as url,
    ):
        async with ClientSession() as http:
            yield http, url


async def test_a_request_that_was_not_sent_may_be_repeated() -> None:
    async with through_nginx(free_port(), free_port()) as (http, url):
        for _ in range(2):  # then nginx knows that both are down
            async with http.post(url, json=QUERY) as response:
                body = await response.json()

            assert (response.status, response.headers["Retry-After"]) == (503, "1")
            assert body["errors"][0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "retryAfter": 1}


@pytest.mark.parametrize("closes", [True, False])
async def test_a_mutation_whose_answer_was_lost_is_not_repeated(closes: bool) -> None:
    async with (
        silent(closes=closes) as port,
        through_nginx(port, free_port()) as (http, url),
        http.post(url, json=QUERY) as response,
    ):
        body = await response.json()

    assert (response.status, response.headers.get("Retry-After")) == (502, None)
    assert "it isn't known whether the change was made" in body["errors"][0]["message"]
