import asyncio
import logging
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import ClientResponse, ClientSession
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.migrate import upgrade
from mainsheet.models.organization import Organization
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers.caller import Caller
from mainsheet.server.observe.logs import configure_logging
from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.settings import Settings
from testbed.app import running_app
from tests.server.small_api import Context, small_api

MEMBER_ID = "MB1"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Restore SIGINT, which background processes of a shell ignore, and so would their children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclass
class Server:
    """A running server, a client with a token, and the contexts of the operations so far."""

    http: ClientSession
    url: URL
    token: str
    contexts: asyncio.Queue[Context]
    stop: Callable[[], Coroutine[None, None, None]]
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    async def post(self, query: Any = "{ hello }", /, *, accept: str = "*/*", **parameters: Any) -> ClientResponse:
        body = {"query": query, **parameters}
        return await self.http.post(GRAPHQL_PATH, json=body, headers=self.headers | {"Accept": accept})

    async def send(self, body: bytes, content_type: str = "application/json", **headers: str) -> ClientResponse:
        headers = {**self.headers, "Content-Type": content_type, **headers}
        return await self.http.post(GRAPHQL_PATH, data=body, headers=headers)

    async def get(self, *, accept: str = "*/*", **parameters: str) -> ClientResponse:
        headers = self.headers | {"Accept": accept}
        return await self.http.get(GRAPHQL_PATH, params=parameters, headers=headers)


Serve = Callable[..., Awaitable[Server]]


class Written(StringIO):
    """A log that can be read at any time: lines that wait are written first."""

    def getvalue(self) -> str:
        for each in logging.root.handlers:
            each.flush()
        return super().getvalue()


@pytest.fixture
def json_log() -> Iterator[StringIO]:
    handlers, level, written = logging.root.handlers[:], logging.root.level, Written()
    configure_logging("json", "debug", written)
    yield written
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A migrated database with one member, and the member's token."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    return path, asyncio.run(_prepare(path))


async def _prepare(path: Path) -> str:
    database = Database.open(f"sqlite:///{path}")
    await upgrade(database)
    member = Member(id=MEMBER_ID, organization_id="OR1", name="Ann", email="ann@harbor.example")
    token, secret = AccessToken.issue(
        "OR1", MEMBER_ID, datetime.now(UTC), expires_at=None, name=None, scopes=AccessScope
    )
    async with AsyncSession(database.writes) as session, session.begin():
        for row in (Organization(id="OR1", name="harbor"), member, token):
            session.add(row)
            await session.flush()
    await database.close()
    return secret


@pytest.fixture
async def small_database(template: tuple[Path, str], tmp_path: Path) -> AsyncIterator[Database]:
    """The database of `server`, with one member."""
    path = shutil.copy(template[0], tmp_path / "mainsheet.sqlite3")
    database = Database.open(f"sqlite:///{path}", pool_size=2)
    yield database
    await database.close()


@pytest.fixture
async def serve(template: tuple[Path, str], small_database: Database) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Server:
            contexts: asyncio.Queue[Context] = asyncio.Queue()

            def open_context(caller: Caller) -> Context:
                contexts.put_nowait(context := Context(caller))
                return context

            running = running_app(small_database, Settings(**settings), api=small_api, open_context=open_context)
            url, runner = await stack.enter_async_context(running)
            http = await stack.enter_async_context(ClientSession(url))
            return Server(http, URL(url + GRAPHQL_PATH), template[1], contexts, runner.cleanup)

        yield start


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve()
