"""Takes expired runs back while the server runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from mainsheet.models.database import Database
from mainsheet.models.failures import failures_reported
from mainsheet.resolvers.commands.run_sweep import AT_ONCE, has_expired, sweep


async def sweeping(database: Database, seconds: float, _app: web.Application) -> AsyncIterator[None]:
    """Sweep every so many seconds until the application is cleaned up."""
    task = asyncio.create_task(_sweep_on(database, seconds))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _sweep_on(database: Database, seconds: float) -> None:
    while True:
        with failures_reported(database.instrumentation):  # the next sweep does what this one couldn't
            if await has_expired(database):
                while await sweep(database) == AT_ONCE:
                    pass
        await asyncio.sleep(seconds)
