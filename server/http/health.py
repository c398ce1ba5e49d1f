"""Health checks: liveness of the process, and readiness for requests."""

import asyncio
import os
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from mainsheet.models.database import Database
from mainsheet.models.migrate import current_and_head

PATIENCE_SECONDS = 5
log = structlog.stdlib.get_logger("mainsheet")


async def alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "pid": os.getpid()})


def readiness(database: Database) -> Handler:
    async def ready(_request: web.Request) -> web.Response:
        reason = await _not_ready(database)
        if reason is None:
            return web.json_response({"status": "ok"})
        body = {"status": "unavailable", "reason": reason}
        return web.json_response(body, status=HTTPStatus.SERVICE_UNAVAILABLE)

    return ready


async def _not_ready(database: Database) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            current, head = await current_and_head(database)
    except Exception as error:  # noqa: BLE001  # whatever a driver raises: the database can't be used
        log.warning("not ready", error=repr(error))  # for the log only: it may name hosts and users
        return "The database doesn't answer."
    return None if current == head else f"The database is at migration {current}, not at {head}."
