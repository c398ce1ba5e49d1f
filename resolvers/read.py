"""One snapshot per operation: every read of it goes through here."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from sqlalchemy import Row, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from models.errors import BadInput
from resolvers.caller import Caller

INVALID_TEXT = "22021"  # PostgreSQL's character_not_in_repertoire, for U+0000


class Read:
    """What a caller can read at one moment.

    The connection is taken at the first statement and given back by `close`, whatever happens in between.
    """

    def __init__(self, engine: AsyncEngine, caller: Caller) -> None:
        self.caller = caller
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._lock = asyncio.Lock()
        self._held = AsyncExitStack()
        self._closed = False

    @classmethod
    def inside(cls, session: AsyncSession, connection: AsyncConnection, caller: Caller) -> Self:
        """What an uncommitted write would leave; closing takes the write back."""
        read = cls(connection.engine, caller)
        read._connection = connection
        read._held.push_async_callback(session.close)
        return read

    async def rows(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Row[Any]]:
        """Run one statement; concurrent callers wait for each other.

        Raises `BadInput` for a text that the database can't even compare: U+0000 or a lone surrogate.
        """
        async with self._lock:
            try:
                connection = await self._connected()
                return (await connection.execute(statement)).all()
            except (DBAPIError, UnicodeEncodeError) as error:
                if isinstance(error, UnicodeEncodeError) or is_invalid_text(error):
                    raise BadInput("A text may hold neither U+0000 nor a lone surrogate.") from error
                raise

    async def keyed(self, statement: Select[*tuple[Any, ...]], key: str = "id") -> dict[str, Row[Any]]:
        """Return the rows by a column that is different in each of them."""
        return {getattr(row, key): row for row in await self.rows(statement)}

    async def grouped(
        self, statement: Select[*tuple[Any, ...]], key: str, keys: Sequence[str]
    ) -> dict[str, list[Row[Any]]]:
        """Return the rows of each key, in their order; a key without rows has an empty list."""
        found: dict[str, list[Row[Any]]] = {each: [] for each in keys}
        for row in await self.rows(statement):
            found[getattr(row, key)].append(row)
        return found

    async def close(self) -> None:
        """Give the connection back; a later statement is refused."""
        async with self._lock:
            self._closed = True
            await self._held.aclose()
            self._connection = None

    async def _connected(self) -> AsyncConnection:
        if self._closed:
            raise RuntimeError("This snapshot is closed.")
        if self._connection is None:
            connection = await self._held.enter_async_context(self._engine.connect())
            await self._held.enter_async_context(connection.begin())
            self._connection = connection
        return self._connection


def is_invalid_text(error: DBAPIError) -> bool:
    return isinstance(error.orig, UnicodeEncodeError) or getattr(error.orig, "sqlstate", None) == INVALID_TEXT
