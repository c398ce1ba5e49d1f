"""The connection pool for snapshots."""

import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.concurrency import greenlet_spawn

from mainsheet.models.unavailable import NoConnection


class ReadPool:
    """A pool of at most `size` connections, handed out in the order of the requests.

    The engine only opens and closes connections. SQLAlchemy's own pool isn't fair: a request that arrives while a
    connection is returned may get it before those that wait. It also costs as much per snapshot as a small statement.
    """

    def __init__(self, engine: AsyncEngine, size: int, timeout: float) -> None:
        self.size = size
        self._engine = engine
        self._timeout = timeout
        self._free = asyncio.Semaphore(size)
        self.waiting = 0
        self.used = 0
        self.waited: Callable[[float], None] = lambda _: None  # is called with the seconds of each wait
        self.idle: list[PoolProxiedConnection] = []

    async def take(self) -> PoolProxiedConnection:
        """Return a connection without an open transaction.

        Raises `NoConnection` if none becomes free within `timeout` seconds, and the driver's error if it can't connect.
        """
        await self._acquire()
        self.used += 1
        try:
            return await self._connected()
        except BaseException:
            self._release()
            raise

    async def give_back(self, connection: PoolProxiedConnection, *, is_sound: bool = True) -> None:
        """Return the connection to the pool, or close it if it can't be used again. `take` closes lost ones."""
        try:
            if is_sound:
                self.idle.append(connection)
            else:
                await to_its_end(greenlet_spawn(discard, connection))
        finally:
            self._release()

    def _release(self) -> None:
        self.used -= 1
        self._free.release()

    async def close(self) -> None:
        """Close the idle connections."""
        while self.idle:
            await greenlet_spawn(self.idle.pop().close)

    async def _acquire(self) -> None:
        if self.used < self.size and not self.waiting:
            await self._free.acquire()  # doesn't suspend
            return
        self.waiting += 1
        begun = perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                await self._free.acquire()
        except TimeoutError:
            raise NoConnection from None
        finally:
            self.waiting -= 1
            self.waited(perf_counter() - begun)

    async def _connected(self) -> PoolProxiedConnection:
        while self.idle:
            connection = self.idle.pop()
            if not is_lost(connection):
                return connection
            await to_its_end(greenlet_spawn(discard, connection))
        return await self._opened()

    async def _opened(self) -> PoolProxiedConnection:
        return await self._engine.raw_connection()


def is_lost(connection: PoolProxiedConnection | ConnectionPoolEntry) -> bool:
    """Return whether the driver reports the connection as closed. aiosqlite never does."""
    driver: Any = connection.driver_connection
    return hasattr(driver, "is_closed") and bool(driver.is_closed())


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Finish the work even if the caller is cancelled, so that its connection isn't leaked."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def discard(connection: PoolProxiedConnection) -> None:
    connection.invalidate()
    connection.close()
