"""The proxies of `deploy/` say what became of a request that no server answered, in GraphQL's shape."""

import asyncio
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from testbed.proxies import balancer, caddy, free_port

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


@contextmanager
def nginx_to(folder: Path, port: int) -> Iterator[str]:
    """Yield the URL of nginx in front of this server, and of one that is down."""
    with balancer(folder, at(free_port()), [at(port), at(free_port())], READ_SECONDS) as url:
        yield url


@contextmanager
def caddy_to(folder: Path, port: int) -> Iterator[str]:
    with caddy(folder, port, READ_SECONDS) as url:
        yield f"{url}/mainsheet/graphql"


Start = Callable[[Path, int], AbstractContextManager[str]]
each_proxy = pytest.mark.parametrize("start", [nginx_to, caddy_to])


@asynccontextmanager
async def through(start: Start, port: int) -> AsyncIterator[tuple[ClientSession, str]]:
    with (
        tempfile.TemporaryDirectory(prefix="mainsheet-proxy-") as folder,  # pytest's own is only for root
        start(Path(folder), port) as url,
    ):
        async with ClientSession(connector=TCPConnector(ssl=False)) as http:
            yield http, url


@each_proxy
async def test_a_request_that_was_not_sent_may_be_repeated(start: Start) -> None:
    async with through(start, free_port()) as (http, url):
        for _ in range(2):  # then nginx knows that both are down
            async with http.post(url, json=QUERY) as response:
                body = await response.json()

            assert (response.status, response.headers["Retry-After"]) == (503, "1")
            assert body["errors"][0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "retryAfter": 1}


@each_proxy
@pytest.mark.parametrize("closes", [True, False])
async def test_a_mutation_whose_answer_was_lost_is_not_repeated(start: Start, closes: bool) -> None:
    async with (
        silent(closes=closes) as port,
        through(start, port) as (http, url),
        http.post(url, json=QUERY) as response,
    ):
        body = await response.json()

    assert (response.status, response.headers.get("Retry-After")) == (502, None)
    assert "it isn't known whether the change was made" in body["errors"][0]["message"]
