"""A server with the real schema, and clients of both protocols."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.live.websocket import SUBPROTOCOL
from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.settings import Settings
from testbed.app import running_app
from testbed.ask import Ask
from testbed.world import World, token

PATIENCE = 30  # seconds

Start = Callable[..., Awaitable["Live"]]


class Socket:
    """A client of `graphql-transport-ws`."""

    def __init__(self, raw: ClientWebSocketResponse) -> None:
        self.raw = raw

    async def send(self, **message: Any) -> None:
        await self.raw.send_json(message)

    async def receive(self) -> dict[str, Any]:
        """Return the next message. Fails rather than wait for one that never comes."""
        message: dict[str, Any] = await self.raw.receive_json(timeout=PATIENCE)
        return message

    async def begin(self, secret: str) -> None:
        await self.send(type="connection_init", payload={"Authorization": f"Bearer {secret}"})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        await self.send(type="subscribe", id=id_, payload={"query": query, "variables": variables})

    async def code(self) -> int:
        """Return the code with which the server closes the connection."""
        while True:
            message = await self.raw.receive(timeout=PATIENCE)
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                return message.data if message.type is WSMsgType.CLOSE else self.raw.close_code or 0


class Live:
    def __init__(self, http: ClientSession, database: Database, stop: Callable[[], Awaitable[None]]) -> None:
        self.http = http
        self.database = database
        self.stop = stop

    async def secret(self, member: Member) -> str:
        return await token(self.database, member)

    @asynccontextmanager
    async def socket(self, member: Member | None = None) -> AsyncIterator[Socket]:
        """Open a connection, and begin it as the member."""
        async with self.http.ws_connect(GRAPHQL_PATH, protocols=[SUBPROTOCOL]) as raw:
            socket = Socket(raw)
            if member:
                await socket.begin(await self.secret(member))
            yield socket

    @asynccontextmanager
    async def stream(
        self, member: Member, query: str, **variables: Any
    ) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """Open a stream of server-sent events. Yields their names and data."""
        headers = {"Authorization": f"Bearer {await self.secret(member)}", "Accept": "text/event-stream"}
        body = {"query": query, "variables": variables}
        async with self.http.post(GRAPHQL_PATH, json=body, headers=headers) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")
            yield _events(response.content)


async def _events(content: Any) -> AsyncIterator[tuple[str, str]]:
    name = ""
    async for line in content:
        field, _, value = line.decode().rstrip("\n").partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            yield name, value.strip()


@pytest.fixture
async def start(database: Database) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def started(**settings: Any) -> Live:
            url, runner = await stack.enter_async_context(running_app(database, Settings(**settings)))
            http = await stack.enter_async_context(ClientSession(url))
            return Live(http, database, runner.cleanup)

        yield started


@pytest.fixture
async def live(start: Start) -> Live:
    return await start()


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world)
