"""Health checks: liveness of the process, and readiness for requests."""

import asyncio
import os
from collections.abc import AsyncIterator
from http import HTTPStatus

import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.database import Database
from mainsheet.models.health import READ_ONLY, why_unusable
from mainsheet.server.observe.log_fields import detached
from mainsheet.server.process.shutdown import RunningWork

PATIENCE_SECONDS = 5
STOPPING = "The process is stopping."
NO_ANSWER = "The database doesn't answer."
log = structlog.stdlib.get_logger("mainsheet")


async def alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "pid": os.getpid()})


class Readiness:
    """Checks the database on a connection of its own, so that it waits neither for a free one nor for a new one."""

    def __init__(self, database: Database, running_work: RunningWork) -> None:
        self._database = database
        self._running_work = running_work
        self._connection: AsyncConnection | None = None
        self._check: asyncio.Task[str | None] | None = None

    async def answer(self, _request: web.Request) -> web.Response:
        reason = STOPPING if self._running_work.is_withdrawn else await self._reason()
        if reason is None:
            return web.json_response({"status": "ok"})
        body = {"status": "unavailable", "reason": reason}
        return web.json_response(body, status=HTTPStatus.SERVICE_UNAVAILABLE)

    async def closing(self, _app: web.Application) -> AsyncIterator[None]:
        """Close the connection at the end."""
        yield
        if self._check is not None:
            await asyncio.wait([self._check])
        await self._disconnect()

    async def _reason(self) -> str | None:
        """Return why the process isn't ready, or `None`. Requests at the same time share one check."""
        if self._check is None or self._check.done():
            self._check = detached(self._checked(), "readiness")
        return await asyncio.shield(self._check)

    async def _checked(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                reason = await self._why_unusable()
        except Exception as error:  # noqa: BLE001  # whatever a driver raises: the database can't be used
            log.warning("not ready", error=repr(error))  # for the log only: it may name hosts and users
            reason = NO_ANSWER
        if reason in (NO_ANSWER, READ_ONLY):
            await self._disconnect()
        if reason == READ_ONLY:  # after a failover, the URL may lead to another server
            await self._database.read_pool.close()
        return reason

    async def _why_unusable(self) -> str | None:
        if self._connection is not None:
            try:
                return await why_unusable(self._connection)
            except Exception:  # noqa: BLE001  # the database may have been restarted since the last check
                await self._disconnect()
        self._connection = await self._database.reads.connect()
        return await why_unusable(self._connection)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()
