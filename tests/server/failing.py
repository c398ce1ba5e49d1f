"""Serves the whole API over HTTP on a database that tests make fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import ClientSession, web
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.app import GRAPHQL_PATH, make_app, make_runner
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.settings import Settings
from testbed.world import token

OF_OTHERS = "datname = current_database() AND pid != pg_backend_pid()"
WAITS = "wait_event_type = 'Lock'"


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None
    body: dict[str, Any]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", ())]

    @property
    def message(self) -> str:
        return str(self.body["errors"][0]["message"])


@dataclass(frozen=True)
class Client:
    database: Database
    http: ClientSession

    async def __call__(self, query: str, **variables: Any) -> Answer:
        async with self.http.post(GRAPHQL_PATH, json={"query": query, "variables": variables}) as response:
            return Answer(response.status, response.headers.get("Retry-After"), await response.json())


@asynccontextmanager
async def client(database: Database, member: Member, **settings: Any) -> AsyncIterator[Client]:
    """Serve the database to one member."""
    chosen = Settings(**{"organization_share": 1} | settings)
    authenticator = Authenticator.configured(database, chosen)
    app = make_app(chosen, database, authenticator, api=api, open_context=partial(Context, database))
    runner = make_runner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        headers = {"Authorization": f"Bearer {await token(database, member)}"}
        host, port = runner.addresses[0][:2]
        async with ClientSession(f"http://{host}:{port}", headers=headers) as http:
            yield Client(database, http)
    finally:
        await runner.cleanup()
        await authenticator.close()


@asynccontextmanager
async def holding(database: Database, statement: str, **values: Any) -> AsyncIterator[None]:
    """Hold the statement's locks inside this context."""
    async with database.writes.begin() as connection:
        await connection.execute(text(statement), values)
        yield


async def waiting(other: Database, many: int = 1) -> None:
    """Wait until this many sessions wait for a lock."""
    await _until(other, f"SELECT count(*) >= {many} FROM pg_stat_activity WHERE {OF_OTHERS} AND {WAITS}")


async def end_connections(other: Database, *, who_wait: bool = False) -> None:
    """Terminate all other connections, or those that wait for a lock, as soon as there is one."""
    ended = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {OF_OTHERS}"
    await _until(other, f"{ended} AND {WAITS}" if who_wait else f"SELECT ({ended}) >= 0")


async def _until(other: Database, statement: str) -> None:
    async with other.writes.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        while not await connection.scalar(text(statement)):
            pass
