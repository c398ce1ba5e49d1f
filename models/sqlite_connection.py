"""Connections to SQLite that run a whole statement in one call of their thread.

For each statement, SQLAlchemy has aiosqlite make a cursor, execute, fetch and close. Waiting for the thread four times
costs more than most statements do.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self
from weakref import ReferenceType, ref

import aiosqlite

CHUNK = 64  # rows; aiosqlite's default for what it fetches by itself


class SqliteConnection(aiosqlite.Connection):
    """A connection whose cursors execute and fetch at once. It takes the arguments of `sqlite3.connect`."""

    def __init__(self, *file: Any, **options: Any) -> None:
        self._opened: list[sqlite3.Connection] = []  # by the thread
        super().__init__(partial(_open, self._opened, *file, **options), CHUNK)
        self._thread.daemon = True  # as SQLAlchemy does with connections that it makes itself
        run = partial(_until_the_loop_is_closed, self._thread.run, ref(self))
        self._thread.run = run  # type: ignore[method-assign]  # aiosqlite makes the thread

    def _abandon(self) -> None:
        """Close what was opened. Called by the thread, which ends then."""
        _close(self._opened)
        self._connection = None

    def cursor(self) -> "WholeCursor":  # type: ignore[override]  # SQLAlchemy enters it, and needs no more
        return WholeCursor(self)

    def stop(self) -> asyncio.Future[Any] | None:
        """Close what the thread opened, and end it.

        aiosqlite doesn't close it if the caller was cancelled meanwhile, and the file would stay open until the garbage
        collection, which runs rarely.
        """
        self._tx.put_nowait((None, partial(_close, self._opened)))
        return super().stop()

    async def run(self, execute: Callable[[sqlite3.Cursor], object]) -> tuple[sqlite3.Cursor, Sequence[Any]]:
        """Execute with a new cursor. Return it with all rows, so that its statement has ended."""

        def executed() -> tuple[sqlite3.Cursor, Sequence[Any]]:
            cursor = self._conn.cursor()
            execute(cursor)
            return cursor, cursor.fetchall() if cursor.description else ()

        execute_there: Any = self._execute  # has no types
        found: tuple[sqlite3.Cursor, Sequence[Any]] = await execute_there(executed)
        return found


def _until_the_loop_is_closed(run: Callable[[], None], of: "ReferenceType[SqliteConnection]") -> None:
    """Run the thread. It ends quietly if it can't return a result, since nobody waits for it then."""
    try:
        run()
    except RuntimeError as error:
        if connection := of():
            connection._abandon()  # noqa: SLF001 a part of the class, which its thread may not keep
        if str(error) != "Event loop is closed":
            raise


def _open(opened: list[sqlite3.Connection], *file: Any, **options: Any) -> sqlite3.Connection:
    opened.append(sqlite3.connect(*file, **options))
    return opened[-1]


def _close(opened: Iterable[sqlite3.Connection]) -> None:
    for each in opened:
        each.close()  # does nothing if it is closed


class WholeCursor:
    """What SQLAlchemy needs of a cursor. It is used for one statement."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: Sequence[Any] = ()

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        return await self._run(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def _run(self, execute: Callable[[sqlite3.Cursor], object]) -> Self:
        self._cursor, self._rows = await self._connection.run(execute)
        return self

    async def fetchall(self) -> Sequence[Any]:
        return self._rows

    async def close(self) -> None:
        """Do nothing: the statement has ended."""

    @property
    def description(self) -> Any:
        return None if self._cursor is None else self._cursor.description

    @property
    def rowcount(self) -> int:
        return -1 if self._cursor is None else self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return None if self._cursor is None else self._cursor.lastrowid
