"""Connections to SQLite that run a whole statement in one call of their thread.

For each statement, SQLAlchemy has aiosqlite make a cursor, execute, fetch and close. Waiting for the thread four times
costs more than most statements do.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

CHUNK = 64  # rows; aiosqlite's default for what it fetches by itself


class SqliteConnection(aiosqlite.Connection):
    """A connection whose cursors execute and fetch at once. It takes the arguments of `sqlite3.connect`."""

    def __init__(self, *file: Any, **options: Any) -> None:
        super().__init__(partial(sqlite3.connect, *file, **options), CHUNK)
        self._thread.daemon = True  # as SQLAlchemy does with connections that it makes itself

    def cursor(self) -> "WholeCursor":  # type: ignore[override]  # SQLAlchemy enters it, and needs no more
        return WholeCursor(self)

    async def run(self, execute: Callable[[sqlite3.Cursor], object]) -> tuple[sqlite3.Cursor, Sequence[Any]]:
        """Execute with a new cursor. Return it with all rows, so that its statement has ended."""

        def executed() -> tuple[sqlite3.Cursor, Sequence[Any]]:
            cursor = self._conn.cursor()
            execute(cursor)
            return cursor, cursor.fetchall() if cursor.description else ()

        execute_there: Any = self._execute  # has no types
        found: tuple[sqlite3.Cursor, Sequence[Any]] = await execute_there(executed)
        return found


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
