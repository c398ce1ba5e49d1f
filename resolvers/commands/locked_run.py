"""Locks a run for a command. It reads no more of the run's job than events and rights need."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from mainsheet.models import limits
from mainsheet.models.errors import Forbidden
from mainsheet.models.event import EventAction
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_team import JobTeam
from mainsheet.models.roles import JobPermission, OrganizationRole
from mainsheet.models.run_errors import RunNotFound
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.permissions import granted, visible
from mainsheet.resolvers.sql.statement import caller_of_parameters
from mainsheet.resolvers.write import ACTOR_ID, Write, timed

# The job's teams, each with the caller's role in it or null.
TEAMS = (
    select(JobTeam.team_id, TeamMember.role)
    .outerjoin(TeamMember, (TeamMember.team_id == JobTeam.team_id) & (TeamMember.actor_id == ACTOR_ID))
    .where(JobTeam.job_id == bindparam("job_id"))
    .order_by(JobTeam.team_id)
)


@lru_cache
def _job_of_run(role: OrganizationRole, *, with_lock: bool) -> Select[*tuple[Any, ...]]:
    of_run = select(JobRun.job_id).where(JobRun.id == bindparam("run_id")).scalar_subquery()
    is_seen = visible(caller_of_parameters(role))
    found = timed(select(Job.id, Job.job_key, Job.updated_at).where(Job.id == of_run, is_seen))
    return found.with_for_update(of=Job, key_share=True) if with_lock else found


@dataclass(frozen=True)
class RunJob:
    """What an event of a run says about its job."""

    id: str
    job_key: str
    team_ids: tuple[str, ...]

    @classmethod
    def of(cls, job: Job) -> "RunJob":
        """Take the values of a job whose teams are loaded."""
        return cls(job.id, job.job_key, tuple(sorted(each.team_id for each in job.teams)))


async def locked(
    write: Write, run_id: str, permission: JobPermission, *, with_job: bool = True
) -> tuple[JobRun, RunJob]:
    """Return the run and its job, locked. Raises `RunNotFound` if the caller can't see the job, or `Forbidden`.

    Without `with_job`, only the run is locked: for a command that leaves the run's status as it is, and so the job's
    copy of it.
    """
    job = await _job(write, run_id, permission, with_lock=with_job)
    not_before = write.at
    run = await write.lock(JobRun, run_id, key_share=False)
    if run is None:
        raise RunNotFound(missing_id=run_id)
    write.at = max(write.at, not_before)  # the time after the wait for the lock, if there was one
    return run, job


async def _job(write: Write, run_id: str, permission: JobPermission, *, with_lock: bool) -> RunJob:
    found = _job_of_run(write.caller.organization_role, with_lock=with_lock)
    job = await write.first(found, write.parameters(run_id=run_id)) if limits.storable(run_id) else None
    if job is None:
        raise RunNotFound(missing_id=run_id)
    teams = (await write.session.execute(TEAMS, write.parameters(job_id=job.id))).all()
    allowed = granted(write.caller, [row.role for row in teams if row.role is not None])
    if JobPermission.VIEW not in allowed:  # the caller lost access while this transaction waited for the lock
        raise RunNotFound(missing_id=run_id)
    if permission not in allowed:
        raise Forbidden(path=("run_id",), missing_permission=permission)
    # A clock that was set back must not change the order of the job's events.
    write.at = max(write.at, job.updated_at)
    return RunJob(job.id, job.job_key, tuple(row.team_id for row in teams))


def record(write: Write, action: EventAction, run: JobRun, job: RunJob, message: str | None = None) -> None:
    """Add an event about the run."""
    teams, versions = list(job.team_ids), (None, run.version_number)
    write.record(action, run, job.job_key, job_id=job.id, team_ids=teams, versions=versions, message=message)
