import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database

INTERVAL = timedelta(minutes=1)

log = structlog.stdlib.get_logger("mainsheet.authentication")


class LastUse:
    """Records when tokens were last used, in the background and at most once a minute for each token."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, datetime] = {}
        self._due: dict[str, datetime] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, token: AccessToken, at: datetime) -> None:
        # Each process knows only its own writes; the row has the latest of all processes.
        times = [moment for moment in (self._noted.get(token.id), token.last_used_at) if moment is not None]
        if times and at - max(times) < INTERVAL:
            return
        self._noted[token.id] = self._due[token.id] = at
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        try:
            while self._due:
                due, self._due = self._due, {}
                await self._write(due)
        except Exception as error:  # noqa: BLE001  # no request is worth failing for this; the next minute tries again
            log.warning("token last use not written", reason=type(error).__name__)
        finally:
            self._writing = None

    async def _write(self, due: Mapping[str, datetime]) -> None:
        async with self._database.writes.begin() as connection:
            await connection.execute(
                update(AccessToken).where(AccessToken.id.in_(due)).values(last_used_at=max(due.values()))
            )
