"""Access to the database: read-only snapshots and short write transactions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal, Self

import orjson
from sqlalchemy import URL, Connection, Dialect, NullPool, PoolProxiedConnection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from mainsheet.models import clock
from mainsheet.models.connecting import DriverConnection, connect_to_first
from mainsheet.models.database_url import DatabaseUrl
from mainsheet.models.instrumentation import Instruments
from mainsheet.models.read_pool import ReadPool, is_lost
from mainsheet.models.sqlite_connection import SqliteConnection

CONNECT_SECONDS = 5  # for a busy server; a server that is down refuses immediately
BUSY_TIMEOUT_MS = 5000  # the default wait for SQLite's lock

# The driver gives up this much later than the server should, in case the server hangs or is unreachable.
GRACE_SECONDS = 5

# There are few statements, prepared and using indexes: planning one again costs more than running it.
# Random page reads cost no more than sequential ones in memory or on an SSD, so prefer indexes to sequential scans.
POSTGRESQL_SETTINGS = {"plan_cache_mode": "force_generic_plan", "jit": "off", "random_page_cost": "1.1"}

# PostgreSQL ends the session of a server whose network was cut within 25 seconds, and so releases its locks. Its
# timeouts of transactions don't: they are suspended in the middle of a command, as after a statement was prepared.
# Behind a pooler in transaction mode, the connections to PostgreSQL are the pooler's.
TCP_SETTINGS = {
    "tcp_user_timeout": "25000",  # milliseconds, if something that was sent isn't confirmed; the rest is for silence
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

# The role's own timeouts are for the statements of a server. Those of commands may take longer.
NO_TIMEOUTS = {"statement_timeout": "0", "lock_timeout": "0"}
# PostgreSQL 17 and newer have it. Older ones refuse a connection that begins with an unknown setting.
LIFT_TRANSACTION_TIMEOUT = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'"
LIFT_LOCAL_TIMEOUTS = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout')
"""

# What a connection of a transaction pooler may not use: the next transaction runs in another session.
UNPREPARED = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",  # the unnamed one ends with the next
}
# How a pooler between us and PostgreSQL lends out sessions; without one, each connection has its own.
Pooling = Literal["session", "transaction"]

# A lost connection is an `Unavailable` of ours; SQLAlchemy would log a traceback for it as well.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Patience:
    """Timeouts in seconds: for a free or new connection, for a statement, and for a lock."""

    connection: float = 30
    statement: float | None = None  # for ever
    lock: float | None = None


PATIENT = Patience()
_DIALECTS: dict[str, Dialect] = {}


@dataclass(frozen=True)
class Database:
    """A database with separate connections for reads and writes: a writer that waits for a lock blocks no reader.

    `read_pool` hands out connections to snapshots. `reads` opens read-only transactions, each on a new connection,
    for commands and health checks, which must work when the pool is exhausted. `writes` opens write transactions, at
    most `writers` at once.
    `instrumentation` receives the statements of snapshots and of write transactions, and what else happens.
    """

    url: str
    reads: AsyncEngine
    writes: AsyncEngine
    read_pool: ReadPool
    writers: int
    pooling: Pooling = "session"
    instrumentation: Instruments = field(default_factory=Instruments)

    def __post_init__(self) -> None:
        _report_statements(self.writes, self.instrumentation)
        self.read_pool.waited = self.instrumentation.waited

    @classmethod
    def open(
        cls, text: str, *, pool_size: int = 10, patience: Patience = PATIENT, pooling: Pooling = "session"
    ) -> Self:
        """Create the engines for `sqlite:///…` or `postgresql://…` without connecting. Raises `BadDatabaseUrl`.

        A third of the connections, and at least one, are for writes. SQLite has one writer.
        """
        url = DatabaseUrl.parse(text)
        writers = max(1, pool_size // 3)
        readers = max(1, pool_size - writers)
        if url.is_sqlite:
            reads = _sqlite(url, patience, "BEGIN", "PRAGMA query_only = ON", poolclass=NullPool)
            writers = 1
            # Writers wait for the one connection as they would wait for SQLite's lock, and in turn.
            longest = patience.connection if patience.lock is None else patience.lock
            writes = _sqlite(url, patience, "BEGIN IMMEDIATE", **_pooled(writers, longest))
        else:
            reads = open_readers(url, patience, pooling)
            # The rows that a change reads after it got its locks must be those of now, whatever the role has.
            pooled = _pooled(writers, patience.connection)
            writes = _postgresql(url, patience, pooling, isolation_level="READ COMMITTED", **pooled)
        return cls(text, reads, writes, ReadPool(reads, readers, patience.connection), writers, pooling)

    @property
    def keeps_session(self) -> bool:
        """Whether each connection keeps its own session of the database between transactions."""
        return self.pooling == "session"

    @cached_property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled for. It depends on the kind of the database only.

        Databases of the same kind share it, so that a process compiles each statement once: tests open thousands.
        """
        own = self.reads.dialect
        return _DIALECTS.setdefault(own.name, own)

    @cached_property
    def is_sqlite(self) -> bool:
        return self.writes.dialect.name == "sqlite"

    @property
    def used_writers(self) -> int:
        pool = self.writes.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        await self.read_pool.close()
        await self.reads.dispose()
        await self.writes.dispose()


def open_readers(url: DatabaseUrl, patience: Patience, pooling: Pooling = "session") -> AsyncEngine:
    """Create an engine for read-only transactions on PostgreSQL without connecting."""
    return _postgresql(url, patience, pooling, poolclass=NullPool).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def _report_statements(engine: AsyncEngine, instrumentation: Instruments) -> None:
    """Report the statements of an engine; those of snapshots don't go through SQLAlchemy.

    SQLAlchemy sends statements in many places, a flush among them, and all of them meet only here.
    """

    def execute(cursor: Any, sql: str, parameters: Any, _context: Any) -> bool:
        with instrumentation.timed(sql):
            cursor.execute(sql, parameters)
        return True  # SQLAlchemy then doesn't execute it again

    def execute_many(cursor: Any, sql: str, parameters: Any, _context: Any) -> bool:
        with instrumentation.timed(sql):
            cursor.executemany(sql, parameters)
        return True

    event.listen(engine.sync_engine, "do_execute", execute)
    event.listen(engine.sync_engine, "do_executemany", execute_many)


def _pooled(size: int, timeout: float) -> dict[str, Any]:
    return {"pool_size": size, "max_overflow": 0, "pool_timeout": timeout}


def _engine(url: URL, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        hide_parameters=True,  # errors with them would carry people's data into the log
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **options,
    )


def session_settings(patience: Patience) -> Mapping[str, str]:
    """Return the settings that each session of PostgreSQL must have: for plans, and the timeouts."""
    settings = {**POSTGRESQL_SETTINGS, **NO_TIMEOUTS}
    if patience.statement is not None:
        settings["statement_timeout"] = _milliseconds(patience.statement)
        # Releases our locks if we die.
        settings["idle_in_transaction_session_timeout"] = _milliseconds(patience.statement + GRACE_SECONDS)
    if patience.lock is not None:
        settings["lock_timeout"] = _milliseconds(patience.lock)
    return settings


def _postgresql(url: DatabaseUrl, patience: Patience, pooling: Pooling, **options: Any) -> AsyncEngine:
    url.check_files()
    connect_args: dict[str, Any] = {
        "dsn": url.connect["dsn"],
        "connection_class": DriverConnection,
        "timeout": url.connect_seconds or max(patience.connection, CONNECT_SECONDS),
        "server_settings": dict(url.connect["server_settings"]),
        "async_creator_fn": partial(connect_to_first, servers=url.servers),
    }
    if patience.statement is not None:
        connect_args["command_timeout"] = patience.statement + GRACE_SECONDS
    if pooling == "session":
        settings = {**TCP_SETTINGS, **session_settings(patience)}
        connect_args["server_settings"] = {**settings, **url.connect["server_settings"]}
    else:
        connect_args |= UNPREPARED
    engine = _engine(url.engine, connect_args=connect_args, **options)

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_lost(_driver: DBAPIConnection, entry: ConnectionPoolEntry, _given: PoolProxiedConnection) -> None:
        if is_lost(entry):
            raise DisconnectionError  # the pool makes a new one

    if patience.statement is None:
        _lift_timeouts(engine, pooling)
    return engine


def _lift_timeouts(engine: AsyncEngine, pooling: Pooling) -> None:
    """Let statements and transactions take as long as they need, whatever the role has."""
    if pooling == "session":

        @event.listens_for(engine.sync_engine, "connect")
        def lift(driver: Any, _entry: ConnectionPoolEntry) -> None:
            driver.run_async(lambda connection: connection.execute(LIFT_TRANSACTION_TIMEOUT))
    else:

        @event.listens_for(engine.sync_engine, "begin")
        def lift_locally(connection: Connection) -> None:
            connection.exec_driver_sql(LIFT_LOCAL_TIMEOUTS)


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _sqlite(url: DatabaseUrl, patience: Patience, begin: str, *pragmas: str, **options: Any) -> AsyncEngine:
    engine = _engine(url.engine, connect_args={"async_creator_fn": SqliteConnection}, **options)
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
    def open_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
