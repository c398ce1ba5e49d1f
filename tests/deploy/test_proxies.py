"""The API, subscriptions and the page through the proxies of `deploy/`, under a path, with TLS."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from aiohttp import ClientSession, TCPConnector
from aiohttp.connector import Connection

from testbed.proxies import caddy, nginx
from tests.server.commands import Serving, expect_no_traceback, serving

ADMIN = "admin@harbor.example"
RENAME = 'mutation { updateCluster(input: {clusterId: "%s", name: "%s"}) { userErrors { code } } }'
END = "{ events(last: 1) { pageInfo { endCursor } } }"
EVENTS = "subscription ($after: String) { events(after: $after) { action } }"
TIMEOUT = 30


class Connector(TCPConnector):
    """Can end its connections without the goodbyes of TLS, which would outlive the test."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._opened: list[tuple[asyncio.Transport, asyncio.Future[None] | None]] = []

    async def connect(self, *arguments: Any, **options: Any) -> Connection:
        connection = await super().connect(*arguments, **options)
        assert connection.protocol is not None
        assert connection.transport is not None
        self._opened.append((connection.transport, connection.protocol.closed))
        return connection

    async def abort(self) -> None:
        for transport, closed in self._opened:
            transport.abort()
            if closed is not None:
                await asyncio.wait([closed])


@dataclass(frozen=True)
class Through:
    """A client of the server through a proxy."""

    http: ClientSession
    url: str
    server: Serving

    @property
    def token(self) -> str:
        return self.server.tokens[ADMIN]

    async def ask(self, query: str) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.post(f"{self.url}/mainsheet/graphql", json={"query": query}, headers=headers) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, object] = (await response.json())["data"]
            return answer

    async def subscription(self) -> dict[str, object]:
        """Return a request for the events after now: none is missed while it begins."""
        events: Any = (await self.ask(END))["events"]
        return {"query": EVENTS, "variables": {"after": events["pageInfo"]["endCursor"]}}

    async def rename(self) -> None:
        """Change something, so that there is an event."""
        name = f"renamed-{uuid4().hex}"
        cluster = (await self.ask("{ clusters(limit: 1) { nodes { id } } }"))["clusters"]
        await self.ask(RENAME % (cluster["nodes"][0]["id"], name))  # type: ignore[index]  # of JSON


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("deploy")
    options = ("--demo", "--database-url", f"sqlite:///{folder / 'demo.sqlite3'}")
    more = {"MAINSHEET_TRUSTED_PROXIES": "127.0.0.1"}
    with (folder / "log").open("w+") as log:
        with serving(*options, environment=more, log=log) as made:
            yield made
        log.seek(0)
        expect_no_traceback(log.read())


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda each: each.__name__)
def proxy_url(request: pytest.FixtureRequest, server: Serving) -> Iterator[str]:
    start: Callable[[Path, int], AbstractContextManager[str]] = request.param
    with (
        tempfile.TemporaryDirectory(prefix="mainsheet-proxy-") as folder,  # pytest's own is only for root
        start(Path(folder), urlsplit(server.url).port or 0) as url,
    ):
        yield url


@pytest.fixture
async def through(proxy_url: str, server: Serving) -> AsyncIterator[Through]:
    connector = Connector(ssl=False)
    async with ClientSession(connector=connector) as http:
        yield Through(http, proxy_url, server)
    await connector.abort()


async def test_an_operation_is_answered(through: Through) -> None:
    assert await through.ask("{ __typename }") == {"__typename": "Query"}


async def test_a_stream_of_events_is_passed_on_at_once(through: Through) -> None:
    headers = {"Authorization": f"Bearer {through.token}", "Accept": "text/event-stream"}
    url = f"{through.url}/mainsheet/graphql"
    async with through.http.post(url, json=await through.subscription(), headers=headers) as response:
        assert response.status == 200
        await through.rename()
        line = await anext(line async for line in response.content if line.startswith(b"data: {"))

    assert b"CLUSTER_UPDATED" in line


async def test_a_websocket_is_passed_on(through: Through) -> None:
    url = f"{through.url}/mainsheet/graphql"
    async with through.http.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {through.token}"}})
        assert await socket.receive_json(timeout=TIMEOUT) == {"type": "connection_ack"}
        await socket.send_json({"type": "subscribe", "id": "1", "payload": await through.subscription()})
        await through.rename()
        message = await socket.receive_json(timeout=TIMEOUT)

    assert message["payload"]["data"]["events"]["action"] == "CLUSTER_UPDATED"


async def test_the_playground_is_found_under_the_path(through: Through) -> None:
    async with through.http.get(f"{through.url}/mainsheet/graphql", headers={"Accept": "text/html"}) as response:
        assert response.status == 200
        page = await response.text()
    script = re.search(r'src="\./(playground/assets/[^"]+\.js)"', page)

    assert script
    async with through.http.get(f"{through.url}/mainsheet/{script[1]}") as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["livez", "readyz", "metrics"])
async def test_what_needs_no_token_is_not_passed_on(through: Through, path: str) -> None:
    async with through.http.get(f"{through.url}/mainsheet/{path}") as response:
        assert response.status == 404
