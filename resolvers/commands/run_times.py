"""Corrects runs and leases that were made while the clock of the database ran ahead, after it was set back."""

from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import Boolean, bindparam, or_, select, update

from mainsheet.models import limits
from mainsheet.models.base import UtcDateTime
from mainsheet.models.clock import database_time
from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion
from mainsheet.models.run_lease import RunLease
from mainsheet.resolvers.commands.claimable import is_ready
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

AT_ONCE = 1_000
MOST_TIMES = 100  # in one go
LONGEST_LEASE = timedelta(seconds=limits.LEASE_SECONDS.maximum)

log = structlog.stdlib.get_logger("mainsheet.runs")


async def correct_times(database: Database) -> None:
    """Let no run and no lease wait until the clock has caught up.

    A ready run is available now, at its scheduled time, or after the delay of a retry. A lease ends after the longest
    time that a worker may ask for. What needs no correction is read without a lock, not even SQLite's.
    """
    leases = await _shorten_leases(database)
    runs = await _correct(database, is_retry=True)
    for _ in range(MOST_TIMES):
        corrected = await _correct(database, is_retry=False)
        runs += corrected
        if corrected < AT_ONCE:
            break
    if runs or leases:
        log.warning("the clock was set back: runs and leases from before were corrected", runs=runs, leases=leases)


class Now(NamedTuple):
    at: datetime


class Later(NamedTuple):
    id: str
    available_at: datetime
    scheduled_for: datetime | None
    retry_delay_seconds: int
    read_at: datetime


class LongLease(NamedTuple):
    run_id: str


async def _shorten_leases(database: Database) -> int:
    (now,) = await rows_alone(database, _now)
    latest = now.at + LONGEST_LEASE
    if not await rows_alone(database, _long_leases, latest=latest):
        return 0
    async with database.writes.begin() as connection:
        shorter = update(RunLease).where(RunLease.expires_at > latest).values(expires_at=latest)
        return (await connection.execute(shorter)).rowcount


async def _correct(database: Database, *, is_retry: bool) -> int:
    """Correct at most `AT_ONCE` runs, the latest first, and return how many.

    All first attempts that are found are wrong. Of retries, only those are that wait for longer than their delay.
    """
    rows = await rows_alone(database, _later, is_retry=is_retry)
    times = [_available_at(row, is_retry=is_retry) for row in rows]
    found = zip(rows, times, strict=True)
    wrong = [{"run": row.id, "before": row.available_at, "at": at} for row, at in found if at < row.available_at]
    if wrong:
        same = (JobRun.id == bindparam("run"), JobRun.available_at == bindparam("before"), is_ready(JobRun))
        async with database.writes.begin() as connection:
            await connection.execute(update(JobRun).where(*same).values(available_at=bindparam("at")), wrong)
    return len(wrong)


def _available_at(row: Later, *, is_retry: bool) -> datetime:
    delay = timedelta(seconds=row.retry_delay_seconds if is_retry else 0)
    return max(row.read_at, row.scheduled_for or row.read_at) + delay


@rows_of(Now, key="at")
def _now(_view: View) -> Statement:
    return select(database_time().label("at"))


@rows_of(LongLease, key="run_id")
def _long_leases(_view: View) -> Statement:
    return select(RunLease.run_id).where(RunLease.expires_at > bindparam("latest", type_=UtcDateTime)).limit(1)


@rows_of(Later)
def _later(_view: View) -> Statement:
    """Select ready runs that are available later, the latest first, but those that wait for their scheduled time."""
    columns = (JobRun.id, JobRun.available_at, JobRun.scheduled_for, JobVersion.retry_delay_seconds)
    of_run = (JobVersion.job_id == JobRun.job_id) & (JobVersion.number == JobRun.version_number)
    is_later = or_(JobRun.scheduled_for.is_(None), JobRun.available_at > JobRun.scheduled_for)
    is_kind = (JobRun.retries > 0) == bindparam("is_retry", type_=Boolean)
    found = select(*columns, database_time().label("read_at")).join(JobVersion, of_run)
    found = found.where(is_ready(JobRun), is_later, is_kind, JobRun.available_at > database_time())
    return found.order_by(JobRun.available_at.desc(), JobRun.id).limit(AT_ONCE)
