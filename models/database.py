"""Two ways into one database: a read-only snapshot and a short write transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_MS = 5000

# Statements are few, prepared and by index: planning one again costs more than running it.
POSTGRESQL_SETTINGS = {"plan_cache_mode": "force_generic_plan", "jit": "off"}

Listener = Callable[[str, float], None]


@dataclass(frozen=True)
class Database:
    """`reads` opens transactions that see one snapshot and can't write, `writes` ones that can.

    `listeners` hear of each statement that a snapshot runs, and how many seconds it took.
    """

    reads: AsyncEngine
    writes: AsyncEngine
    listeners: list[Listener] = field(default_factory=list)

    @classmethod
    def open(cls, url: str | URL, *, pool_size: int = 10) -> Self:
        """Prepare engines for `sqlite:///…` or `postgresql://…`; nothing is connected yet."""
        url = with_driver(make_url(url))
        if url.get_backend_name() == "sqlite":
            return cls(
                reads=_sqlite(url, pool_size, "BEGIN", "PRAGMA query_only = ON"),
                writes=_sqlite(url, 1, "BEGIN IMMEDIATE"),  # its one writer at a time queues here, in order
            )
        engine = _engine(url, pool_size, connect_args={"server_settings": POSTGRESQL_SETTINGS})
        return cls(
            reads=engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
            writes=engine,
        )

    @property
    def is_sqlite(self) -> bool:
        return self.writes.dialect.name == "sqlite"

    async def close(self) -> None:
        await self.reads.dispose()
        await self.writes.dispose()


DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def with_driver(url: URL) -> URL:
    """Name the driver that we use; raise `ValueError` for a database that we don't know."""
    name = url.drivername.partition("+")[0]
    if name not in DRIVERS:
        raise ValueError(f"{name} is neither sqlite nor postgresql")
    return url.set(drivername=DRIVERS[name])


def _engine(url: URL, pool_size: int, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **options,
    )


def _sqlite(url: URL, pool_size: int, begin: str, *pragmas: str) -> AsyncEngine:
    engine = _engine(url, pool_size)
    at_connect = (
        "PRAGMA journal_mode = WAL",
        "PRAGMA foreign_keys = ON",
        f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver opens no transaction by itself
        cursor = connection.cursor()
        for pragma in (*at_connect, "PRAGMA synchronous = FULL", *pragmas):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def open_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
