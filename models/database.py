"""Two ways into one database: a read-only snapshot and a short write transaction."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

import orjson
from sqlalchemy import URL, PoolProxiedConnection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.concurrency import greenlet_spawn

from models import clock
from models.pool import Pool

CONNECT_SECONDS = 5  # what a busy server may need; one that is away says so at once
BUSY_TIMEOUT_MS = 5000  # where nobody says how long to wait for SQLite's lock

# The driver gives up so much later than the server should have: that one may be silent, or out of reach.
GRACE_SECONDS = 5

# Statements are few, prepared and by index: planning one again costs more than running it.
# A page read out of turn costs no more from memory or a solid-state disk: whole tables are never the cheaper way.
POSTGRESQL_SETTINGS = {"plan_cache_mode": "force_generic_plan", "jit": "off", "random_page_cost": "1.1"}

Listener = Callable[[str, float], None]


@dataclass(frozen=True)
class Patience:
    """How many seconds to wait: for a connection to get free or be made, for one statement, for a lock in it.

    On SQLite, who writes waits for the only writer as for a lock.
    """

    connection: float = 30
    statement: float | None = None  # for ever
    lock: float | None = None


PATIENT = Patience()


@dataclass(frozen=True)
class Database:
    """`reads` opens transactions that see one snapshot and can't write, `writes` ones that can.

    `listeners` hear of each statement that a snapshot runs, and how many seconds it took.
    """

    reads: AsyncEngine
    writes: AsyncEngine
    listeners: list[Listener] = field(default_factory=list)

    @classmethod
    def open(cls, url: str | URL, *, pool_size: int = 10, patience: Patience = PATIENT) -> Self:
        """Prepare engines for `sqlite:///…` or `postgresql://…`; nothing is connected yet."""
        url = with_driver(make_url(url))
        if url.get_backend_name() == "sqlite":
            return cls(
                reads=_sqlite(url, pool_size, patience, "BEGIN", "PRAGMA query_only = ON"),
                writes=_sqlite(url, 1, _of_writers(patience), "BEGIN IMMEDIATE"),
            )
        engine = _postgresql(url, pool_size, patience)
        return cls(
            reads=engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
            writes=engine,
        )

    @property
    def is_sqlite(self) -> bool:
        return self.writes.dialect.name == "sqlite"

    @property
    def pool(self) -> Pool:
        """Where snapshots have their connections from; on PostgreSQL, who writes too."""
        return cast("Pool", self.reads.pool)

    async def take(self) -> PoolProxiedConnection:
        """Return a connection for a snapshot, on which no transaction is open."""
        while self.pool.idle:
            connection = self.pool.idle.pop()
            if not is_lost(connection):
                return connection
            await self.give_back(connection)
        return await self.reads.raw_connection()

    async def give_back(self, connection: PoolProxiedConnection, *, is_sound: bool = True) -> None:
        is_sound = is_sound and not is_lost(connection)
        if is_sound and not self.pool.is_waited_for:
            self.pool.idle.append(connection)
        else:
            await to_its_end(greenlet_spawn(_release, connection, is_sound=is_sound))

    async def close(self) -> None:
        while self.pool.idle:
            await greenlet_spawn(_release, self.pool.idle.pop(), is_sound=True)
        await self.reads.dispose()
        await self.writes.dispose()


def is_lost(connection: PoolProxiedConnection | ConnectionPoolEntry) -> bool:
    driver: Any = connection.driver_connection
    return hasattr(driver, "is_closed") and bool(driver.is_closed())


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait until it is done, also if we are cancelled meanwhile: who leaves would take the connection along."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _release(connection: PoolProxiedConnection, *, is_sound: bool) -> None:
    if not is_sound:
        connection.invalidate()
    connection.close()


DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def with_driver(url: URL) -> URL:
    """Name the driver that we use; raise `ValueError` for a database that we don't know."""
    name = url.drivername.partition("+")[0]
    if name not in DRIVERS:
        raise ValueError(f"{name} is neither sqlite nor postgresql")
    return url.set(drivername=DRIVERS[name])


def _engine(url: URL, pool_size: int, patience: Patience, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        poolclass=Pool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=patience.connection,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **options,
    )


def _postgresql(url: URL, pool_size: int, patience: Patience) -> AsyncEngine:
    server_settings = dict(POSTGRESQL_SETTINGS)
    connect_args: dict[str, Any] = {
        "timeout": max(patience.connection, CONNECT_SECONDS),
        "server_settings": server_settings,
    }
    if patience.statement is not None:
        most = patience.statement + GRACE_SECONDS
        connect_args["command_timeout"] = most
        server_settings["statement_timeout"] = _milliseconds(patience.statement)
        server_settings["idle_in_transaction_session_timeout"] = _milliseconds(most)  # its locks go when we vanish
    if patience.lock is not None:
        server_settings["lock_timeout"] = _milliseconds(patience.lock)
    engine = _engine(url, pool_size, patience, connect_args=connect_args)

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_lost(_driver: DBAPIConnection, entry: ConnectionPoolEntry, _given: PoolProxiedConnection) -> None:
        if is_lost(entry):
            raise DisconnectionError  # the pool makes a new one

    return engine


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _of_writers(patience: Patience) -> Patience:
    """SQLite has one writer at a time: the others queue in its pool, in order."""
    return patience if patience.lock is None else replace(patience, connection=patience.lock)


def _sqlite(url: URL, pool_size: int, patience: Patience, begin: str, *pragmas: str) -> AsyncEngine:
    engine = _engine(url, pool_size, patience)
    at_connect = (
        "PRAGMA journal_mode = WAL",
        "PRAGMA foreign_keys = ON",
        f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS if patience.lock is None else _milliseconds(patience.lock)}",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver opens no transaction by itself
        connection.create_function(clock.FUNCTION, 0, clock.sqlite_time)
        cursor = connection.cursor()
        for pragma in (*at_connect, "PRAGMA synchronous = FULL", *pragmas):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def open_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
