"""The server's application in the process of a test, on a free port of loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web

from mainsheet.models.database import Database
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.app import make_app, make_runner
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.settings import Settings


@asynccontextmanager
async def running_app(
    database: Database, settings: Settings, *, port: int = 0, **parts: Any
) -> AsyncIterator[tuple[str, web.AppRunner]]:
    """Run the application inside this context. Yields its address and its runner.

    `parts` are arguments of `make_app` in the place of the real schema and context.
    """
    authenticator = Authenticator.configured(database, settings)
    given: dict[str, Any] = {"api": api, "open_context": partial(Context, database)} | parts
    runner = make_runner(make_app(settings, database, authenticator, **given))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", runner
    finally:
        await runner.cleanup()
        await authenticator.close()
