import os
import shlex
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from functools import partial, wraps
from importlib.metadata import version

import click
import structlog
from sqlalchemy import text

from mainsheet.demo import DEMO_MEMBERS, seed_demo
from mainsheet.models.database import Database, session_settings
from mainsheet.models.migrate import upgrade
from mainsheet.server.auth.tokens import end_demo
from mainsheet.server.commands.demo import introduce
from mainsheet.server.commands.options import given_options, variable, with_settings
from mainsheet.server.commands.running import check_url, database_at, parsed_url, require_served, run
from mainsheet.server.environment import names_from_files
from mainsheet.server.http.playground import Member, Playground, is_loopback
from mainsheet.server.observe.logs import configure_logging, log_all_output
from mainsheet.server.process.database_lock import locked
from mainsheet.server.process.garbage import uncollected
from mainsheet.server.process.listening import Listening, urls
from mainsheet.server.process.stopping import StopSignals
from mainsheet.server.process.supervisor import Supervisor, hold_reloads
from mainsheet.server.process.worker import CannotStart
from mainsheet.server.settings import Settings

OF_OTHERS = 0o077  # the bits of a file mode for the group and for all others
NO_PAGE = "the playground isn't built: run `make playground`"

CONNECTIONS = text("""
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
  - coalesce(current_setting('reserved_connections', true)::int, 0)
""")

BESIDE_THE_POOL = 2  # connections of each process: for notifications of events, and for /readyz

# A function that serves until a signal. It calls its last argument when it accepts requests.
ServeRequests = Callable[[Settings, Listening, Sequence[Member], Callable[[], None]], Awaitable[None]]

log = structlog.stdlib.get_logger("mainsheet")

TIMEOUTS = {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}  # the role may have others
SETTING = text("SELECT reset_val FROM pg_settings WHERE name = :name")  # of the session, not of this transaction


def refusing_in_the_log(command: Callable[..., None]) -> Callable[..., None]:
    """Log why the command fails, in place of printing it, if the log is JSON: also if the settings are invalid."""

    @wraps(command)
    def run_or_log(**arguments: object) -> None:
        if os.environ.get(variable("log_format")) != "json":
            return command(**arguments)
        configure_logging("json", "error")  # until the settings are read
        try:
            return command(**arguments)
        except click.ClickException as error:
            log.critical("can't serve", reason=error.message)
            raise click.exceptions.Exit(error.exit_code) from None

    return run_or_log


@click.command()
@refusing_in_the_log
@with_settings("demo", "host", "port", "workers", "database_url")
def serve(settings: Settings) -> None:
    """Answer GraphQL requests at /graphql until SIGTERM or SIGINT; with workers, SIGHUP replaces them.

    After SIGTERM, /readyz reports 503 for MAINSHEET_DRAIN_SECONDS before the port is closed.

    Without workers, SIGHUP stops the server, too, with the exit code 129.

    The database must be migrated. --demo migrates it, adds demo data and prints tokens.
    """
    configure_logging(settings.log_format, settings.log_level)
    log_all_output()
    if settings.workers > 1:
        hold_reloads()
    _check_demo(settings)
    run(_serve_alone(settings, supervised if settings.workers > 1 else _imported_server()))


def _check_demo(settings: Settings) -> None:
    if settings.demo and not all(map(is_loopback, settings.host)):
        raise click.ClickException(
            f"Demo mode listens on loopback only (127.0.0.1, ::1, localhost), not on {', '.join(settings.host)}"
        )


async def _serve_alone(settings: Settings, serve_requests: ServeRequests) -> None:
    """Serve while no other server uses a SQLite database."""
    file = check_url(settings.database_url, may_create=settings.demo).file
    with locked(file) if file else nullcontext():
        await _serve(settings, serve_requests)


async def _serve(settings: Settings, serve_requests: ServeRequests) -> None:
    # Without a statement timeout, for migrations and seeding.
    async with database_at(settings, may_create=settings.demo) as database:
        if settings.demo:
            await upgrade(database)
            await seed_demo(database)
        await require_served(database)
        await (_check_connections if database.keeps_session else _check_sessions)(database, settings)
        try:
            sockets = Listening.open(settings)
        except OSError as error:
            raise click.ClickException(str(error)) from None
        members = await _members(database, settings, urls(settings.host, sockets.api)[0])
    _warn(settings)
    await serve_requests(settings, sockets, members, partial(_introduce, settings, sockets))


def _warn(settings: Settings) -> None:
    if not Playground.built():
        log.warning(NO_PAGE)
    file = parsed_url(settings.database_url).file
    if file and file.stat().st_mode & OF_OTHERS:
        command = f"chmod 600 {shlex.quote(str(file))}*"
        log.warning("other users may open the database", mend=f"run `{command}`")


async def _members(database: Database, settings: Settings, address: str) -> Sequence[Member]:
    """Return the demo's members with new tokens. Without --demo, revoke the tokens of earlier demos."""
    if settings.demo:
        return await introduce(database, address)
    await end_demo(database, DEMO_MEMBERS)
    return []


def _imported_server() -> ServeRequests:
    """Import the API and return the function that serves it.

    The import takes most of the time and memory of a start, and a supervisor doesn't need it.
    """
    with uncollected():
        from mainsheet.server.commands.serving import serve_until_stopped  # noqa: PLC0415  # slow
    return serve_until_stopped


async def supervised(
    settings: Settings, sockets: Listening, members: Sequence[Member], ready: Callable[[], None]
) -> None:
    reasons: list[str] = []
    reread = names_from_files(os.environ) - given_options()
    supervisor = Supervisor(settings, sockets, members, reread)
    try:
        async with StopSignals().cancelling() as received, supervisor.serving():
            ready()
            supervisor.stop_by = await received()
    except* CannotStart as group:
        reasons.extend(map(str, group.exceptions))
    if reasons:
        raise click.ClickException(f"The workers can't start: {reasons[0]}")
    log.info("stopped")


async def _check_sessions(database: Database, settings: Settings) -> None:
    """Check that the sessions of a transaction pooler have our settings, which it doesn't pass on."""
    needed = session_settings(settings.patience)
    async with database.reads.connect() as connection:
        has = {name: await connection.scalar(SETTING, {"name": name}) for name in needed}
        role = await connection.scalar(text("SELECT quote_ident(current_user)"))
    missing = [name for name in needed if has[name] != needed[name] and (name not in TIMEOUTS or has[name] == "0")]
    if missing:
        commands = " ".join(f"ALTER ROLE {role} SET {name} = '{needed[name]}';" for name in missing)
        raise click.ClickException(
            f"A transaction pooler doesn't pass our settings on. Run this in the database: {commands}"
            " Then reconnect the pooler's sessions."
        )


def _introduce(settings: Settings, sockets: Listening) -> None:
    """Log the start. On a terminal, print the addresses, too: they are all that most people want to know."""
    api = urls(settings.host, sockets.api)
    admin = urls(settings.admin_hosts, sockets.admin, path="") if sockets.admin else []
    database = settings.database_url.partition(":")[0]
    log.info(
        "serving",
        version=version("mainsheet"),
        url=" ".join(api),
        **({"admin_url": " ".join(admin)} if admin else {}),
        workers=settings.workers,
        database=database,
    )
    if settings.demo or settings.log_format == "console":
        for each in admin:
            click.echo(f"Health checks and metrics: {each}")
        for each in api:
            click.echo(f"Serving {each}")


async def _check_connections(database: Database, settings: Settings) -> None:
    """Check that PostgreSQL allows the workers' connections, which double during a reload."""
    if database.is_sqlite:
        return
    async with database.reads.connect() as connection:
        most = int((await connection.execute(CONNECTIONS)).scalar_one())
    beside = BESIDE_THE_POOL + bool(settings.replica_urls)  # one more to measure the primary
    needed = settings.workers * (settings.pool_size + beside)
    what = f"{settings.workers} workers with MAINSHEET_POOL_SIZE={settings.pool_size}"
    if needed > most:
        raise click.ClickException(f"{what} need {needed} connections: PostgreSQL's max_connections leaves {most}")
    if settings.workers > 1 and 2 * needed > most:
        reload = f"{what} may need {2 * needed} connections during a reload"
        log.warning("too few database connections", reason=f"{reload}: PostgreSQL's max_connections leaves {most}")
