"""A separate database session that holds locks and inspects the server's sessions."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass

import asyncpg  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import make_url

from testbed.databases import connected

PATIENCE_SECONDS = 30
LOOK_SECONDS = 0.01
LOCK = "LOCK TABLE job IN ACCESS EXCLUSIVE MODE"  # not used by anything else
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@dataclass(frozen=True)
class Outside:
    holder: asyncpg.Connection
    watcher: asyncpg.Connection

    @asynccontextmanager
    async def holding_jobs(self) -> AsyncIterator[None]:
        async with self.holder.transaction():
            await self.holder.execute(LOCK)
            yield

    async def sees_waiting(self, count: int) -> None:
        """Wait until this many statements wait for a lock."""
        await self.sees(WAITING, count)

    async def sees(self, query: str, value: object, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the query returns the value."""
        async with asyncio.timeout(seconds):
            while True:
                if await self.watcher.fetchval(query) == value:
                    return
                await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def outside(postgres_url: str) -> AsyncIterator[Outside]:
    async with connected(postgres_url) as holder, connected(postgres_url) as watcher:
        yield Outside(holder, watcher)


async def whole_pool_is_used(postgres_url: str, size: int) -> None:
    """Wait until as many statements wait as the pool has connections, which shows that it has lost none."""
    async with outside(postgres_url) as other, other.holding_jobs():
        await other.sees_waiting(size)


@contextmanager
def writing(sqlite_url: str) -> Iterator[None]:
    """Hold SQLite's write lock inside this context."""
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
