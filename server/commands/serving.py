"""A serving process: the only one, or a worker that the supervisor starts by `worker.py`.

The supervisor writes a `Start` to its standard input, and reads from its standard output whether it is ready.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from socket import socket

import click
import structlog
from aiohttp import web

from mainsheet.executor.turns import SLICE
from mainsheet.models.database import Database
from mainsheet.models.feed import begin_epoch, follow_timelines
from mainsheet.schema.api import api
from mainsheet.server.app import make_admin_runner, make_app, make_runner
from mainsheet.server.app_keys import FEED_WATCH, METRICS, RUNNING_WORK
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.commands.running import database_at, require_served, run
from mainsheet.server.http.playground import Member, Playground
from mainsheet.server.observe.log_fields import name_process
from mainsheet.server.observe.logs import configure_logging, log_all_output
from mainsheet.server.observe.trace import context_type
from mainsheet.server.observe.tracing import tracing
from mainsheet.server.process.garbage import rarely_collected
from mainsheet.server.process.listening import BACKLOG, Listening, room_for
from mainsheet.server.process.shutdown import RunningWork
from mainsheet.server.process.stopping import StopSignals
from mainsheet.server.process.sweeper import sweeping
from mainsheet.server.process.worker import FAILED, READY, Reason, Start
from mainsheet.server.settings import Settings
from mainsheet.server.standard_streams import open_standard_streams
from mainsheet.server.webhooks.sender import WebhookSender

# File descriptors of each listening socket. libuv accepts one connection for each of them in an iteration of the event
# loop since 1.45, which isn't enough while each iteration works for a millisecond: the kernel then refuses clients, who
# try again after a second.
API_HANDLES = 8

ENDED_BY = 128  # plus the number of a signal: the exit code by which shells say that the signal ended a process

log = structlog.stdlib.get_logger("mainsheet")


async def serve_until_stopped(
    settings: Settings,
    sockets: Listening,
    members: Sequence[Member],
    ready: Callable[[], None],
    reason: Reason = "start",
) -> None:
    """Serve requests, and call `ready` when they are accepted. After SIGTERM, go on until load balancers notice it.

    SIGHUP stops the process, too, unless it is ignored, as in workers and by `nohup`. The exit code then says that the
    signal ended it: systemd starts it again.
    """
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    async with serving(settings, sockets, members, reason) as running_work:
        signals = StopSignals(*hangup)
        ready()
        first = await signals.first()
        if first is signal.SIGTERM:
            await running_work.withdraw()
    log.info("stopped")
    if first is signal.SIGHUP:
        raise click.exceptions.Exit(ENDED_BY + signal.SIGHUP)


@asynccontextmanager
async def serving(
    settings: Settings, sockets: Listening, members: Sequence[Member], reason: Reason = "start"
) -> AsyncIterator[RunningWork]:
    """Serve requests inside this context. On exit, wait for the running ones."""
    async with (
        tracing() as traces,  # first, since a silent collector delays the end
        database_at(settings, patience=settings.patience) as database,
        _authenticator(database, settings) as authenticator,
    ):
        await require_served(database)  # this package may be newer than the supervisor's after an upgrade
        follow_timelines(database)
        if await begin_epoch(database):
            log.warning("a new epoch of the feed begins: the database was restored into a younger cluster")
        page, open_context = Playground.built(), partial(context_type(settings), database)
        if page:
            page.members.extend(members)
        settings = _with_room(settings)
        app = make_app(settings, database, authenticator, api=api, open_context=open_context, playground=page)
        app.cleanup_ctx.append(partial(sweeping, database, settings.run_sweep_seconds))
        app.cleanup_ctx.append(WebhookSender(database, app[FEED_WATCH], settings.webhook_networks).running)
        database.instrumentation.add(*traces)
        runner = make_runner(app)
        async with _admin(app, sockets.admin), _started(runner, sockets.api, handles=API_HANDLES):
            app[METRICS].starts.labels(reason).inc()
            with rarely_collected(), _frequent_switches():
                yield app[RUNNING_WORK]
                await app[RUNNING_WORK].linger(runner)


@asynccontextmanager
async def _admin(app: web.Application, sockets: Sequence[socket]) -> AsyncIterator[None]:
    """Serve the health checks and metrics on these sockets, until the API has stopped."""
    if not sockets:
        yield
        return
    async with _started(make_admin_runner(app), sockets):
        yield


@asynccontextmanager
async def _started(runner: web.BaseRunner, sockets: Sequence[socket], handles: int = 1) -> AsyncIterator[None]:
    await runner.setup()
    try:
        for each in sockets:
            for accepting in (each, *(each.dup() for _ in range(handles - 1))):
                await web.SockSite(runner, accepting, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


@contextmanager
def _frequent_switches() -> Iterator[None]:
    """Let the event loop run after each slice of the worker thread. By default, Python switches threads every 5 ms."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SLICE)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _with_room(settings: Settings) -> Settings:
    """Reduce the limit of connections to what the limit of open files allows, minus those of the database."""
    most = room_for(settings.max_connections)
    if most < settings.max_connections:
        log.warning("fewer connections than configured: the open files limit is too low", max_connections=most)
    return settings.model_copy(update={"max_connections": most})


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


def main() -> None:
    open_standard_streams()  # if the supervisor has died, so that nobody reads our output, we end without a traceback
    start = Start.read(sys.stdin)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # only the supervisor handles it
    configure_logging(start.settings.log_format, start.settings.log_level)
    log_all_output()
    name_process(worker=os.getpid())
    try:
        run(_work(start))
    except click.exceptions.Exit as left_alone:
        sys.exit(left_alone.exit_code)
    except click.ClickException as error:
        print(FAILED, error.message, flush=True)  # noqa: T201 for the supervisor
        sys.exit(1)


async def _work(start: Start) -> None:
    def ready() -> None:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _left_alone)
        print(READY, flush=True)  # noqa: T201 for the supervisor

    await serve_until_stopped(start.settings, Listening.inherited(start.sockets), start.members, ready, start.reason)


def _left_alone() -> None:
    """Stop when the supervisor has died: our standard input is then at its end."""
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    os.kill(os.getpid(), signal.SIGINT)
