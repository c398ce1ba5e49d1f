"""Takes expired runs back while the server runs."""

from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from mainsheet.models.database import Database
from mainsheet.resolvers.commands.run_sweep import AT_ONCE, has_expired, sweep
from mainsheet.resolvers.commands.run_times import correct_times
from mainsheet.server.process.background import repeated

CORRECT_SECONDS = 60


async def sweeping(database: Database, seconds: float, _app: web.Application) -> AsyncIterator[None]:
    """Sweep every so many seconds until the application is cleaned up."""
    async with (
        repeated("sweep runs", seconds, partial(_sweep_all, database)),
        repeated("correct times of runs", CORRECT_SECONDS, partial(correct_times, database)),
    ):
        yield


async def _sweep_all(database: Database) -> None:
    if await has_expired(database):
        while await sweep(database) == AT_ONCE:
            pass
