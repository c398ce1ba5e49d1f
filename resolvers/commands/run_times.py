"""Corrects runs and leases that were made while the clock of the database ran ahead, after it was set back."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, or_, select, update

from mainsheet.models import limits
from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion
from mainsheet.models.run_lease import RunLease
from mainsheet.resolvers.commands.claimable import is_ready

AT_ONCE = 1_000
LONGEST_LEASE = timedelta(seconds=limits.LEASE_SECONDS.maximum)

log = structlog.stdlib.get_logger("mainsheet.runs")


async def correct_times(database: Database) -> None:
    """Let no run and no lease wait until the clock has caught up.

    A ready run is available now, at its scheduled time, or after the delay of a retry. A lease ends after the longest
    time that a worker may ask for.
    """
    runs = 0
    async with database.writes.begin() as connection:
        now = await read_clock(connection)
        latest = now + LONGEST_LEASE
        too_long = update(RunLease).where(RunLease.expires_at > latest).values(expires_at=latest)
        leases = (await connection.execute(too_long)).rowcount
        for row in (await connection.execute(_later(now))).all():
            retry_after = timedelta(seconds=row.retry_delay_seconds if row.retries else 0)
            at = max(now, row.scheduled_for or now) + retry_after
            if at < row.available_at:
                same = (JobRun.id == row.id, is_ready(JobRun), JobRun.available_at == row.available_at)
                runs += (await connection.execute(update(JobRun).where(*same).values(available_at=at))).rowcount
    if runs or leases:
        log.warning("the clock was set back: runs and leases from before were corrected", runs=runs, leases=leases)


def _later(now: datetime) -> Select[str, datetime | None, datetime | None, int, int]:
    """Select ready runs that are available later, the latest first, but those that wait for their scheduled time."""
    columns = (JobRun.id, JobRun.available_at, JobRun.scheduled_for, JobRun.retries, JobVersion.retry_delay_seconds)
    of_run = (JobVersion.job_id == JobRun.job_id) & (JobVersion.number == JobRun.version_number)
    is_later = or_(JobRun.scheduled_for.is_(None), JobRun.available_at > JobRun.scheduled_for)
    found = select(*columns).join(JobVersion, of_run).where(is_ready(JobRun), is_later)
    return found.where(JobRun.available_at > now).order_by(JobRun.available_at.desc(), JobRun.id).limit(AT_ONCE)
