"""Serves the whole API over HTTP on a database that tests make fail."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import ClientSession
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.settings import Settings
from testbed.app import running_app
from testbed.world import token

OF_OTHERS = "datname = current_database() AND pid != pg_backend_pid()"
WAITS = "wait_event_type = 'Lock'"
PATIENCE = 60


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
    headers = {"Authorization": f"Bearer {await token(database, member)}"}
    chosen = Settings(**{"organization_share": 1} | settings)
    async with running_app(database, chosen) as (url, _), ClientSession(url, headers=headers) as http:
        yield Client(database, http)


@asynccontextmanager
async def holding(database: Database, statement: str, **values: Any) -> AsyncIterator[None]:
    """Hold the statement's locks inside this context."""
    async with database.writes.begin() as connection:
        await connection.execute(text(statement), values)
        yield


@asynccontextmanager
async def stalled(database: Database, other: Database) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Let no statement on members end inside this context, and give what waits until one runs.

    The database has a single connection for reads; the other one leads to the same data.
    """
    if database.is_sqlite:
        async with _stalled_sqlite(database) as runs:
            yield runs
    else:
        async with holding(other, "LOCK TABLE actor IN ACCESS EXCLUSIVE MODE"):
            yield partial(waiting, other)


@asynccontextmanager
async def _stalled_sqlite(database: Database) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """SQLite's readers wait for no lock: stop the statement after its first instruction."""
    runs, may_end = threading.Event(), threading.Event()

    def stop() -> bool:
        """Return whether to interrupt the statement."""
        runs.set()
        return not may_end.wait(PATIENCE)

    await _at_each_instruction(database, stop)
    try:
        yield partial(asyncio.to_thread, runs.wait, PATIENCE)
    finally:
        may_end.set()


async def _at_each_instruction(database: Database, call: Callable[[], bool]) -> None:
    connection = await database.read_pool.take()
    driver: Any = connection.driver_connection
    await driver.set_progress_handler(call, 1)
    await database.read_pool.give_back(connection)


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
