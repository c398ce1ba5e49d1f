import asyncio
import sqlite3
import threading
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from mainsheet.models.database import Database
from mainsheet.models.sqlite_connection import SqliteConnection

PATIENCE = 10  # seconds
ADD = text("INSERT INTO item (id, name) VALUES (:id, :name)")


class CountingConnection(SqliteConnection):
    """A connection that counts the calls that waited for its thread."""

    calls = 0

    async def _execute(self, *work: Any, **options: Any) -> Any:
        self.calls += 1
        return await super()._execute(*work, **options)  # type: ignore[no-untyped-call]  # aiosqlite's


async def counting(connection: AsyncConnection) -> CountingConnection:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, CountingConnection)
    return driver


async def test_a_statement_waits_once_for_the_thread() -> None:
    engine = create_async_engine("sqlite+aiosqlite://", connect_args={"async_creator_fn": CountingConnection})
    async with engine.connect() as connection:
        driver = await counting(connection)
        before = driver.calls

        await connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"))
        one = await connection.execute(ADD, {"id": 1, "name": "a"})
        await connection.execute(ADD, [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}])
        rows = (await connection.execute(text("SELECT id, name FROM item ORDER BY id"))).all()

        assert rows == [(1, "a"), (2, "b"), (3, "c")]
        assert one.rowcount == 1
        assert one.lastrowid == 1
        assert driver.calls - before == 4
    await engine.dispose()


async def test_a_failed_statement_leaves_the_connection_usable() -> None:
    engine = create_async_engine("sqlite+aiosqlite://", connect_args={"async_creator_fn": SqliteConnection})
    async with engine.connect() as connection:
        await connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"))

        with pytest.raises(IntegrityError):
            await connection.execute(ADD, {"id": 1, "name": None})

        assert (await connection.execute(text("SELECT count(*) FROM item"))).scalar() == 0
    await engine.dispose()


async def test_databases_use_these_connections(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/data.sqlite3")
    for engine in (database.reads, database.writes):
        async with engine.connect() as connection:
            assert isinstance((await connection.get_raw_connection()).driver_connection, SqliteConnection)
    await database.close()


async def test_a_connection_is_closed_if_its_caller_is_cancelled_while_it_opens(tmp_path: Path) -> None:
    opening, is_cancelled, closed = Event(), Event(), Event()

    class Slow(sqlite3.Connection):
        def __init__(self, *file: Any, **options: Any) -> None:
            super().__init__(*file, **options)
            opening.set()
            is_cancelled.wait(PATIENCE)

        def close(self) -> None:
            super().close()
            closed.set()

    async def connect() -> None:
        await SqliteConnection(tmp_path / "data.sqlite3", factory=Slow)

    connecting = asyncio.create_task(connect())
    assert await asyncio.to_thread(opening.wait, PATIENCE)
    connecting.cancel()
    await asyncio.wait([connecting])
    is_cancelled.set()

    assert await asyncio.to_thread(closed.wait, PATIENCE)


def test_a_statement_may_outlast_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the process stops: nobody waits for its result, and its thread ends quietly."""
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    begun, may_end = Event(), Event()

    def wait() -> None:
        begun.set()
        may_end.wait()

    async def abandon() -> threading.Thread:
        before = {*threading.enumerate()}
        connection = await SqliteConnection(tmp_path / "data.sqlite3")
        (thread,) = {*threading.enumerate()} - before
        await connection.create_function("wait", 0, wait)
        statement = asyncio.create_task(connection.execute("SELECT wait()"))
        await asyncio.to_thread(begun.wait)
        statement.cancel()
        return thread

    thread = asyncio.run(abandon())
    may_end.set()
    thread.join()

    assert failures == []
