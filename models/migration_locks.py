"""Locks of migrations on PostgreSQL.

One process migrates at a time. A statement that waits for the lock of a table blocks all later queries of that table.
So it gives up after a short time, and its transaction is tried again after a pause in which those queries can run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.database import Database
from mainsheet.models.errors import MainsheetError
from mainsheet.models.failures import failures_passed_over, is_lock_failure

Report = Callable[[str], None]  # takes a sentence about the progress of a migration
Check = Callable[[], Awaitable[None]]

TRY_ADVISORY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
ADVISORY_LOCK = 0x4D41494E53484545  # "MAINSHEE": the same key for all processes that migrate
LOCK_TIMEOUT = "2s"
ATTEMPTS = 10
LONGEST_PAUSE_SECONDS = 30
LOOK_SECONDS = 0.5
BLOCKERS = text("""
SELECT pid, coalesce(nullif(application_name, ''), backend_type, 'unknown') AS application, query_start
FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(:pid)) ORDER BY pid
""")


class NoLock(MainsheetError):
    """A migration didn't get its locks, although it was tried several times."""

    def __init__(self, blockers: str) -> None:
        held = f" Last held by {blockers}." if blockers else ""
        super().__init__(
            f"The migration didn't get its locks in {ATTEMPTS} attempts.{held} The migrations before it are kept."
            " Run it again later"
        )


@asynccontextmanager
async def only_process(database: Database, report: Report) -> AsyncIterator[Check]:
    """Hold the lock that allows one process to migrate inside this context. Yield what fails if its session is lost.

    A process that waits for the lock or holds it keeps no snapshot: an index that is built concurrently would wait for
    its end.
    """
    async with database.reads.connect() as connection:
        await connection.execution_options(isolation_level="READ COMMITTED")
        reported = False
        while not await connection.scalar(TRY_ADVISORY_LOCK, {"key": ADVISORY_LOCK}):
            await connection.rollback()
            if not reported:
                report("Another process migrates the database. Waiting for it.")
                reported = True
            await asyncio.sleep(LOOK_SECONDS)

        async def check() -> None:
            # No query: its portal would keep its snapshot. This ends the portal of the statement before.
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

        await check()
        yield check


class Watch:
    """Reports which sessions block a migration."""

    def __init__(self, database: Database, report: Report) -> None:
        self.blockers = ""  # those of the last wait
        self.report = report
        self._database = database

    @asynccontextmanager
    async def over(self, pid: int) -> AsyncIterator[None]:
        """Watch this backend inside this context."""
        ended = asyncio.Event()
        watching = asyncio.create_task(self._look_until(ended, pid))
        try:
            yield
        finally:
            ended.set()
            await watching

    async def _look_until(self, ended: asyncio.Event, pid: int) -> None:
        with failures_passed_over():  # the migration goes on unwatched
            async with self._database.reads.connect() as connection:
                while not await _is_set_within(LOOK_SECONDS, ended):
                    self._look((await connection.execute(BLOCKERS, {"pid": pid})).all())
                    await connection.rollback()

    def _look(self, found: Sequence[Row[tuple[object, ...]]]) -> None:
        blockers = " and ".join(map(_described, found))
        if blockers and blockers != self.blockers:
            self.blockers = blockers
            self.report(f"The migration waits for a lock that is held by {blockers}.")


async def run_with_retries(connection: AsyncConnection, run: Callable[[Connection], None], watch: Watch) -> None:
    """Run a migration's transaction, and again after pauses if it doesn't get a lock in time. Raises `NoLock`."""
    for attempt in range(1, ATTEMPTS + 1):
        pid = (await connection.scalar(text("SELECT pg_backend_pid()"))) or 0
        await connection.rollback()  # the migration begins its own transaction
        try:
            async with watch.over(pid):
                return await connection.run_sync(run)
        except DBAPIError as error:
            if not is_lock_failure(error):
                raise
            if attempt == ATTEMPTS:
                raise NoLock(watch.blockers) from error
        await connection.rollback()
        pause = min(LONGEST_PAUSE_SECONDS, 2 ** (attempt - 1))
        watch.report(f"The migration gave up after {LOCK_TIMEOUT}. It is tried again in {pause} s.")
        await asyncio.sleep(pause)
    raise AssertionError("unreachable")


def _described(blocker: Row[tuple[object, ...]]) -> str:
    since = f", its query started at {blocker.query_start.astimezone(UTC):%H:%M:%SZ}" if blocker.query_start else ""
    return f"process {blocker.pid} ({blocker.application}{since})"


async def _is_set_within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
