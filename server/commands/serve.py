import asyncio
import errno
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import click
from aiohttp import web

from models.database import Database, Patience
from models.demo import seed_demo
from models.migrate import upgrade
from schema.api import api
from server.app import GRAPHQL_PATH, make_app, make_runner
from server.authentication import Authenticator
from server.commands.demo import introduce
from server.commands.options import with_settings
from server.commands.running import database_at, require_head, run
from server.logs import configure_logging
from server.playground import Playground, is_loopback
from server.settings import Settings
from server.trace import context_type

NO_PAGE = "There is no playground: `make playground` builds it, with Node. The API is served all the same."


@click.command()
@with_settings("demo", "host", "port", "database_url")
def serve(settings: Settings) -> None:
    """Answer GraphQL requests at /graphql until SIGTERM or SIGINT.

    The database must be migrated; --demo does that, fills it with demo data, and prints tokens.
    """
    if settings.demo and not is_loopback(settings.host):
        raise click.ClickException(
            f"Demo mode listens on loopback only (127.0.0.1, ::1, localhost), not on {settings.host}"
        )
    configure_logging(settings.log_format, settings.log_level)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with database_at(settings, may_create=settings.demo) as database:  # as long as it takes
        if settings.demo:
            await upgrade(database)
            await seed_demo(database)
        await require_head(database)
    async with (
        database_at(settings, patience=patience(settings)) as database,
        _authenticator(database, settings) as authenticator,
    ):
        page, open_context = Playground.built(), partial(context_type(settings), database)
        app = make_app(settings, database, authenticator, api=api, open_context=open_context, playground=page)
        async with _listening(app, settings) as url:
            if settings.demo:
                members = await introduce(database, url)
                if page:
                    page.members.extend(members)
            if not page:
                click.echo(NO_PAGE, err=True)
            click.echo(f"Serving {url}")
            await _told_to_stop()


def patience(settings: Settings) -> Patience:
    return Patience(
        connection=settings.pool_timeout_seconds,
        statement=settings.statement_timeout_seconds,
        lock=settings.lock_timeout_seconds,
    )


@asynccontextmanager
async def _authenticator(database: Database, settings: Settings) -> AsyncIterator[Authenticator]:
    try:
        authenticator = Authenticator.configured(database, settings)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield authenticator
    finally:
        await authenticator.close()


@asynccontextmanager
async def _listening(app: web.Application, settings: Settings) -> AsyncIterator[str]:
    """Yield the URL of the endpoint; at the end let the requests under way finish."""
    runner = make_runner(app, settings)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            raise click.ClickException(_cannot_listen(settings, error)) from None
        yield _url(settings.host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _cannot_listen(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} of {settings.host} is in use: choose another one with --port"
    return f"Can't listen on {settings.host} port {settings.port}: {error.strerror or error}"


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{GRAPHQL_PATH}"


async def _told_to_stop() -> None:
    """Return at the first signal; a second one finds the default handlers, and ends at once."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    for each in signals:
        loop.add_signal_handler(each, told.set)
    await told.wait()
    for each in signals:
        loop.remove_signal_handler(each)
