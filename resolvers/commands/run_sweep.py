"""Takes runs back from workers whose leases have expired."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.clock import database_time, read_clock
from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.event import EventAction
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus, Retries
from mainsheet.models.job_version import JobVersion
from mainsheet.models.run_lease import RunLease
from mainsheet.resolvers.commands.latest_run import refresh_latest_runs
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

AT_ONCE = 100


async def has_expired(database: Database) -> bool:
    """Return whether there is anything to sweep. This takes no lock, not even SQLite's."""
    return bool(await rows_alone(database, _expired))


class Expired(NamedTuple):
    run_id: str


@rows_of(Expired, key="run_id")
def _expired(_view: View) -> Statement:
    return select(RunLease.run_id).where(RunLease.expires_at <= database_time()).limit(1)


async def sweep(database: Database) -> int:
    """Take back at most `AT_ONCE` runs of all organizations, and return how many. Several processes may do so at once.

    Rows that another transaction has locked are passed over, so that a sweep waits for none. Leases are locked too:
    PostgreSQL checks again only the locked rows that were changed after the start of the statement.
    """
    async with AsyncSession(database.writes, expire_on_commit=False, autoflush=False) as session, session.begin():
        expired = (
            select(JobRun, RunLease, Job, JobVersion.max_retries, JobVersion.retry_delay_seconds)
            .join(RunLease, RunLease.run_id == JobRun.id)
            .join(Job, Job.id == JobRun.job_id)
            .join(JobVersion, (JobVersion.job_id == JobRun.job_id) & (JobVersion.number == JobRun.version_number))
            .where(RunLease.expires_at <= database_time(), JobRun.status == JobRunStatus.RUNNING)
            .limit(AT_ONCE)
            .with_for_update(of=[RunLease, JobRun, Job], skip_locked=True, key_share=True)
        )
        rows = (await session.execute(expired)).all()
        if rows:
            edit = Edit("", await read_clock(session))
            for run, lease, job, maximum, delay_seconds in rows:
                run.lose_lease(lease, Retries(maximum, delay_seconds), edit.at)
                await session.delete(lease)
                _record(edit, run, job)
            session.add_all(edit.events)
            await refresh_latest_runs(session, [run.job_id for run, *_ in rows])
        return len(rows)


def _record(edit: Edit, run: JobRun, job: Job) -> None:
    action = EventAction.RUN_FINISHED if run.is_finished else EventAction.RUN_RETRIED
    teams = sorted(each.team_id for each in job.teams)
    message = run.error_message
    edit.record(
        action, run, job.job_key, job_id=job.id, team_ids=teams, versions=(None, run.version_number), message=message
    )
    edit.events[-1].actor_id = None  # the server did it
