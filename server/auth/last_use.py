import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from cachetools import LRUCache
from sqlalchemy import update

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database
from mainsheet.models.trusted_document import TrustedDocument
from mainsheet.server.observe.log_fields import detached

INTERVAL = timedelta(minutes=1)
MOST_NOTED = 10_000  # one that is forgotten may be written more often

log = structlog.stdlib.get_logger("mainsheet.authentication")


class Used(Protocol):
    """A row that records its last use."""

    id: str
    last_used_at: datetime | None


class LastUse:
    """Records in the background when tokens, or rows of another table, were last used: once in an interval for each."""

    def __init__(
        self,
        database: Database,
        table: type[AccessToken | TrustedDocument] = AccessToken,
        interval: timedelta = INTERVAL,
    ) -> None:
        self._database = database
        self._table = table
        self._interval = interval
        self._noted: LRUCache[str, datetime] = LRUCache(MOST_NOTED)
        self._due: dict[str, datetime] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, row: AccessToken | Used, at: datetime) -> None:
        # Each process knows only its own writes; the row has the latest of all processes.
        times = [moment for moment in (self._noted.get(row.id), row.last_used_at) if moment is not None]
        if times and at - max(times) < self._interval:
            return
        self._due[row.id] = self._noted[row.id] = at
        if self._writing is None:
            self._writing = detached(self._write_all(), "last use")

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        due: Mapping[str, datetime] = {}
        try:
            while self._due:
                due, self._due = self._due, {}
                await self._write(due)
        except Exception as error:  # noqa: BLE001  # no request is worth failing for this; the next use tries again
            for row_id in due:
                self._noted.pop(row_id, None)
            log.warning("last use not written", table=self._table.__tablename__, reason=type(error).__name__)
        finally:
            self._writing = None

    async def _write(self, due: Mapping[str, datetime]) -> None:
        async with self._database.writes.begin() as connection:
            await connection.execute(
                update(self._table).where(self._table.id.in_(due)).values(last_used_at=max(due.values()))
            )
