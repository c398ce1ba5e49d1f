"""Deletes rows whose retention has ended while the server runs."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from mainsheet.models.database import Database
from mainsheet.models.failures import failure_of
from mainsheet.models.retention import EXPIRING, Retention, limited
from mainsheet.server.process.background import repeated
from mainsheet.server.settings import Settings

EVERY_SECONDS = 3600

log = structlog.stdlib.get_logger("mainsheet.retention")


def retention_of(settings: Settings) -> Retention:
    return Retention(
        events=_days(settings.event_retention_days),
        runs=_days(settings.run_retention_days),
        tokens=_days(settings.token_retention_days),
        deleted_jobs=_days(settings.event_retention_days),  # the last event of each has expired then
        webhook_deliveries=_days(settings.webhook_delivery_retention_days),
    )


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None


async def pruning(database: Database, retention: Retention, _app: web.Application) -> AsyncIterator[None]:
    """Prune every hour until the application is cleaned up."""
    async with repeated("prune", EVERY_SECONDS, partial(_prune_all, database, retention)):
        yield


async def _prune_all(database: Database, retention: Retention) -> None:
    deleted = {name: await _prune(database, name, kept) for name, kept in limited(retention).items()}
    if any(deleted.values()):
        log.info("pruned", **deleted)


async def _prune(database: Database, name: str, kept: timedelta) -> int:
    """Delete the rows of one table that have ended. A failure, such as a timeout, must not keep those of the others."""
    try:
        return await EXPIRING[name].delete(database, kept)
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        log.warning("pruning failed", rows=name, reason=str(failure))
        return 0
