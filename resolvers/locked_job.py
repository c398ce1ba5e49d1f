"""Loads a job to change, with what the model needs of it, by few statements: most of a mutation's time is theirs."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import lazyload
from sqlalchemy.orm.attributes import set_committed_value

from mainsheet.models.clock import database_time
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionQuery, JobVersionStatus
from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.models.source import SourceKind
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.statement import caller_of_parameters

# The numbers of the current version and of the draft, if there is one: no version is added beside a draft.
WORKING: Sequence[BindParameter[int]] = [bindparam("current"), bindparam("last")]


@lru_cache
def locked_job(role: OrganizationRole, *, key_share: bool) -> Select[Job, datetime]:
    """Select and lock the job `job_id` without its parts, and the time, if a caller with this role sees the job.

    Most of what a statement costs is its construction and its cache key, so each one is kept.
    """
    caller = caller_of_parameters(role)
    parts = map(lazyload, (Job.current, Job.draft, Job.teams))
    found = select(Job, database_time().label("at")).where(Job.id == bindparam("job_id"), visible(caller))
    return found.options(*parts).with_for_update(of=Job, key_share=key_share)


GRANTS = (
    select(JobTeam, TeamMember.role)
    .outerjoin(TeamMember, (TeamMember.team_id == JobTeam.team_id) & (TeamMember.actor_id == bindparam("actor_id")))
    .where(JobTeam.job_id == bindparam("job_id"))
)
VERSIONS = (
    select(JobVersion)
    .where(JobVersion.job_id == bindparam("job_id"), JobVersion.number.in_(WORKING))
    .options(lazyload(JobVersion.queries))
)
QUERIES = (
    select(JobVersionQuery)
    .where(JobVersionQuery.version_id.in_(bindparam("version_ids", expanding=True)))
    .order_by(JobVersionQuery.position)
)


async def load_parts(session: AsyncSession, job: Job, caller: Caller) -> Sequence[TeamRole]:
    """Load the job's grants, current version and draft, unless the session has them. Return the caller's roles."""
    parameters = {"job_id": job.id, "actor_id": caller.actor_id}
    grants = (await session.execute(GRANTS, parameters)).all()
    unloaded: set[str] = _state(job).unloaded
    if "teams" in unloaded:
        set_committed_value(job, "teams", [row[0] for row in grants])
    if "current" in unloaded:
        await _load_versions(session, job)
    return [row.role for row in grants if row.role is not None]


async def _load_versions(session: AsyncSession, job: Job) -> None:
    numbers = {"job_id": job.id, "current": job.current_number, "last": job.last_number}
    versions = {each.number: each for each in await session.scalars(VERSIONS, numbers)}
    await _load_queries(session, [each for each in versions.values() if "queries" in _state(each).unloaded])
    last = versions.get(job.last_number)
    set_committed_value(job, "current", versions[job.current_number])
    set_committed_value(job, "draft", last if last and last.status is JobVersionStatus.DRAFT else None)


async def _load_queries(session: AsyncSession, versions: Sequence[JobVersion]) -> None:
    """Load the versions' saved queries, which most versions don't have."""
    ids = [each.id for each in versions if each.source_kind is SourceKind.SAVED_QUERIES]
    rows = (await session.scalars(QUERIES, {"version_ids": ids})).all() if ids else []
    for version in versions:
        set_committed_value(version, "queries", [each for each in rows if each.version_id == version.id])


def _state(row: Job | JobVersion) -> Any:
    return inspect(row)
