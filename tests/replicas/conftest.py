"""A primary of PostgreSQL with a standby, and a server that reads from both."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.member import Member
from mainsheet.models.replicas import Replicas
from mainsheet.server.app_keys import REPLICAS
from mainsheet.server.http.consistency import HEADER, verified
from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.settings import Settings
from testbed.app import running_app
from testbed.databases import connected, execute, migrated
from testbed.postgres import REPLICATED, Postgres, own_postgres, standby_of
from testbed.world import World, token
from tests.chaos.standbys import DATABASE, direct_url

PATIENCE = 30  # seconds
SETTINGS = f"""{REPLICATED}
synchronous_commit = on
max_standby_streaming_delay = 0
"""


class Routes(Instrumentation):
    """Notes from where queries were read."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def routed(self, outcome: str) -> None:
        self.taken.append(outcome)


@dataclass
class Answer:
    status: int
    token: str | None
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        assert "errors" not in self.body, self.body
        data: dict[str, Any] = self.body["data"]
        return data


@dataclass
class Client:
    """A client of a server with replicas. `consistency` is a token, or `any`."""

    http: ClientSession
    replicas: Replicas
    routes: Routes = field(default_factory=Routes)

    async def __call__(self, query: str, consistency: str | Sequence[str] | None = None, **variables: Any) -> Answer:
        sent = [consistency] if isinstance(consistency, str) else consistency or []
        body = {"query": query, "variables": variables}
        headers = [(HEADER, each) for each in sent]
        async with self.http.post(GRAPHQL_PATH, json=body, headers=headers) as response:
            return Answer(response.status, response.headers.get(HEADER), await response.json())

    def authorize(self, secret: str) -> None:
        """Send the requests of another caller from now on."""
        self.http.headers["Authorization"] = f"Bearer {secret}"

    async def until_used(self, consistency: str | None = None) -> None:
        """Wait until a replica is used, and has replayed what the token stands for."""
        async with asyncio.timeout(PATIENCE):
            while self.replicas.choose(self.position(consistency)) is None:
                await self.replicas.measure()

    async def until_unused(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.replicas.choose() is not None:
                await self.replicas.measure()

    def position(self, consistency: str | None) -> int:
        if consistency is None:
            return 0
        position = verified(consistency, self.replicas.key)
        assert position is not None
        return position


@pytest.fixture(scope="session")
def primary() -> Iterator[Postgres]:
    with own_postgres(SETTINGS) as server:
        yield server


@pytest.fixture(scope="session")
def primary_url(primary: Postgres) -> str:
    """The URL of a migrated database on the primary."""

    async def make() -> str:
        await execute(primary.url, f"CREATE DATABASE {DATABASE}")
        return await migrated(direct_url(primary))

    return asyncio.run(make())


@pytest.fixture(scope="session")
def standby(primary: Postgres, primary_url: str) -> Iterator[Postgres]:
    with standby_of(primary) as server:
        yield server


@pytest.fixture
def database_url(primary_url: str) -> str:
    return primary_url


@asynccontextmanager
async def serving(
    database: Database, member: Member, standbys: Sequence[Postgres], **settings: Any
) -> AsyncIterator[Client]:
    """Serve the database with these replicas to one member."""
    headers = {"Authorization": f"Bearer {await token(database, member)}"}
    chosen = Settings(replica_urls=tuple(map(direct_url, standbys)), **settings)
    async with running_app(database, chosen) as (url, runner), ClientSession(url, headers=headers) as http:
        client = Client(http, runner.app[REPLICAS])
        database.instrumentation.add(client.routes)
        yield client


@pytest.fixture
async def ask(database: Database, world: World, standby: Postgres) -> AsyncIterator[Client]:
    """A client with the rights of a contributor."""
    async with serving(database, world.contributor, [standby]) as client:
        yield client


@asynccontextmanager
async def paused(standby: Postgres) -> AsyncIterator[None]:
    """Let the standby replay nothing inside this context."""
    await execute(standby.url, "SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        await execute(standby.url, "SELECT pg_wal_replay_resume()")


async def replayed(primary: Postgres, standby: Postgres) -> None:
    """Wait until the standby has replayed all that the primary has written."""
    async with connected(primary.url) as connection:
        position = await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text")
    async with asyncio.timeout(PATIENCE), connected(standby.url) as connection:
        while not await connection.fetchval(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"):
            pass
