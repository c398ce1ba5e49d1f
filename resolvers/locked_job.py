"""Loads a job to change, with what the model needs of it, by few statements: most of a mutation's time is theirs."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Select, bindparam, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import lazyload
from sqlalchemy.orm.attributes import set_committed_value

from mainsheet.models.clock import database_time
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionDependency, JobVersionQuery, JobVersionStatus
from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.models.source import SourceKind
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import TextArray, among
from mainsheet.resolvers.sql.statement import caller_of_parameters

Part = TypeVar("Part", JobVersionDependency, JobVersionQuery)

NUMBERS: Sequence[BindParameter[int]] = [bindparam("number"), bindparam("other")]


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
    .where(JobVersion.job_id == bindparam("job_id"), JobVersion.number.in_(NUMBERS))
    .options(lazyload(JobVersion.dependencies), lazyload(JobVersion.queries))
)
VERSION_IDS: BindParameter[Sequence[str]] = bindparam("version_ids", type_=TextArray())
DEPENDENCIES = (
    select(JobVersionDependency)
    .where(among(JobVersionDependency.version_id, VERSION_IDS))
    .order_by(JobVersionDependency.position)
)
QUERIES = (
    select(JobVersionQuery).where(among(JobVersionQuery.version_id, VERSION_IDS)).order_by(JobVersionQuery.position)
)


async def load_parts(session: AsyncSession, job: Job, caller: Caller) -> Sequence[TeamRole]:
    """Load the job's grants, current version and draft, unless the session has them. Return the caller's roles."""
    parameters = {"job_id": job.id, "actor_id": caller.actor_id}
    grants = (await session.execute(GRANTS, parameters)).all()
    unloaded: set[str] = _state(job).unloaded
    if "teams" in unloaded:
        set_committed_value(job, "teams", [row[0] for row in grants])
    if "current" in unloaded:
        await _load_working(session, job)
    return [row.role for row in grants if row.role is not None]


async def _load_working(session: AsyncSession, job: Job) -> None:
    """Load the current version and the draft, if there is one. It is the last: none is added beside a draft."""
    found = await versions_of(session, job, job.current_number, job.last_number)
    versions = {each.number: each for each in found}
    last = versions.get(job.last_number)
    set_committed_value(job, "current", versions[job.current_number])
    set_committed_value(job, "draft", last if last and last.status is JobVersionStatus.DRAFT else None)


async def versions_of(session: AsyncSession, job: Job, number: int, other: int) -> Sequence[JobVersion]:
    """Return the job's versions with these two numbers, which may be equal."""
    versions = (await session.scalars(VERSIONS, {"job_id": job.id, "number": number, "other": other})).all()
    await _load_lists(session, [each for each in versions if "dependencies" in _state(each).unloaded])
    return versions


async def _load_lists(session: AsyncSession, versions: Sequence[JobVersion]) -> None:
    """Load the versions' dependencies, and their saved queries, which most versions don't have."""
    dependencies = await _of_versions(session, DEPENDENCIES, versions)
    queries = await _of_versions(
        session, QUERIES, [each for each in versions if each.source_kind is SourceKind.SAVED_QUERIES]
    )
    for version in versions:
        set_committed_value(version, "dependencies", dependencies.get(version.id, []))
        set_committed_value(version, "queries", queries.get(version.id, []))


async def _of_versions(
    session: AsyncSession, statement: Select[Part], versions: Sequence[JobVersion]
) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    if versions:
        for row in await session.scalars(statement, {"version_ids": [each.id for each in versions]}):
            found.setdefault(row.version_id, []).append(row)
    return found


def _state(row: Job | JobVersion) -> Any:
    return inspect(row)
