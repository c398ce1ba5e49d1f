from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, literal, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mainsheet.models import limits
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.errors import (
    Forbidden,
    JobHasDependents,
    JobKeyTaken,
    TeamNotFound,
    TeamRequired,
    UserError,
)
from mainsheet.models.event import EventAction
from mainsheet.models.input_values import value_problems
from mainsheet.models.job import Job
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_run import UNFINISHED, JobRun, JobRunStatus
from mainsheet.models.job_steps import expect
from mainsheet.models.job_version import JobVersionDependency
from mainsheet.models.roles import IN_TEAM, AccessScope, JobPermission, TeamPermission, TeamRole
from mainsheet.models.run_lease import RunLease
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.commands.locked_run import RunJob, record
from mainsheet.resolvers.commands.references import references_of
from mainsheet.resolvers.commands.version import published
from mainsheet.resolvers.job_dependency import depends_on
from mainsheet.resolvers.permissions import least_role, may_in_team, visible
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import (
    ACTOR_ID,
    IDS,
    ORGANIZATION_ID,
    CloneAnswer,
    DeleteAnswer,
    JobAnswer,
    Write,
    command,
    timed,
)

TEAM_ROLES = (
    select(Team.id, TeamMember.role)
    .outerjoin(TeamMember, (TeamMember.team_id == Team.id) & (TeamMember.actor_id == ACTOR_ID))
    .where(among(Team.id, IDS), Team.organization_id == ORGANIZATION_ID)
)
WITHOUT = "Choose a version without it with versionNumber, or publish one and clone that."


@command("createJob", AccessScope.WRITE)
async def create(
    write: Write,
    *,
    job_key: str,
    name: str,
    team_ids: Sequence[str],
    config: Mapping[str, Any],
    description: str | None = None,
    tags: Sequence[str] = (),
    message: str | None = None,
) -> JobAnswer:
    values = {"job_key": job_key, "name": name, "description": description, "tags": tags}
    job = await created(write, values, team_ids, config, message)
    return {"job_id": job.id}


async def created(
    write: Write,
    values: Mapping[str, Any],
    team_ids: Sequence[str],
    config: Mapping[str, Any],
    message: str | None = None,
) -> Job:
    """Create a job from all its values. Raises all problems at once."""
    asked = JobConfig.of(config)
    references = await references_of(write, asked, {"dependencies": ()})
    write.problems += asked.problems(("config",), references)
    write.problems += asked.running_problems(references, None, {"cluster_id": ("config", "cluster_id")})
    return await _created(write, values, team_ids, asked, message)


async def _created(
    write: Write, values: Mapping[str, Any], team_ids: Sequence[str], config: JobConfig, message: str | None = None
) -> Job:
    """Create a job with a validated configuration."""
    write.problems += value_problems({**values, "message": message})
    team_problems = await team_problems_of(write, team_ids, TeamPermission.CREATE_JOBS)
    write.problems += team_problems
    # Keys of jobs that the caller can't see count too: only those who may create the job learn about them.
    if not team_problems and limits.storable(values["job_key"]) and await _is_taken(write, values["job_key"]):
        write.problems.append(JobKeyTaken(job_key=values["job_key"]))
    write.refuse()
    job = Job.create(values, config, team_ids, write.caller.organization_id, write, message=message)
    write.session.add(job)
    return job


@command("cloneJob", AccessScope.WRITE)
async def clone(
    write: Write,
    *,
    job_id: str,
    job_key: str,
    name: str,
    team_ids: Sequence[str],
    version_number: int | None = None,
    message: str | None = None,
    **values: Any,
) -> CloneAnswer:
    """Create a job with the configuration of a version, including dependencies that the caller can't see."""
    source = await write.job(job_id, JobPermission.VIEW)
    version = await published(write, source, version_number, ("version_number",))
    config = (version or source.current).config
    if version:
        write.problems += config.publication_problems(await references_of(write, config, {}), None, {}, WITHOUT)
    await write.session.refresh(source, ["tag_rows"])
    own = {"job_key": job_key, "name": name, "description": source.description, "tags": source.tags, **values}
    job = await _created(write, own, team_ids, config, message)
    return {"cloned_job_id": job.id}


@command("updateJob", AccessScope.WRITE)
async def update(
    write: Write,
    *,
    job_id: str,
    message: str | None = None,
    expected_job_revision: int | None = None,
    **values: Any,
) -> JobAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    if "tags" in values:
        await write.session.refresh(job, ["tag_rows"])
    expect(job, write, revision=expected_job_revision)
    job.update(values, message, write)
    return {"job_id": job.id}


update_many = command("updateJobs", AccessScope.WRITE, items="jobs")(update.run)


@command("deleteJob", AccessScope.WRITE)
async def delete(
    write: Write,
    *,
    job_id: str,
    message: str | None = None,
    expected_job_revision: int | None = None,
    force: bool = False,
) -> DeleteAnswer:
    """Cancel unfinished runs, then delete the job with its versions, runs and grants.

    Versions of other jobs keep their dependencies on it. Concurrent deletions of two jobs whose old versions depend on
    each other may deadlock: one of them is then tried again.
    """
    job = await write.job(job_id, JobPermission.DELETE)
    write.explain(message)
    expect(job, write, revision=expected_job_revision)
    cancelled = await _cancel_runs(write, job)
    await write.plan_for_values()
    deleted = job.delete(None if force else await _found_dependents(write, job_id), write)
    await _keep(write, deleted)
    await write.session.execute(delete_from(Job).where(Job.id == job_id))
    return {"deleted_job_id": job_id, "cancelled_runs": cancelled}


@command("addTeamsToJob", AccessScope.WRITE)
async def add_teams(write: Write, *, job_id: str, team_ids: Sequence[str], message: str | None = None) -> JobAnswer:
    job = await write.job(job_id, JobPermission.MANAGE_TEAMS)
    write.explain(message)
    has = frozenset(each.team_id for each in job.teams)
    write.problems += await team_problems_of(write, team_ids, TeamPermission.SHARE_JOBS, has)
    write.refuse()
    job.add_teams(team_ids, write)
    return {"job_id": job.id}


@command("removeTeamFromJob", AccessScope.WRITE)
async def remove_team(write: Write, *, job_id: str, team_id: str, message: str | None = None) -> JobAnswer:
    job = await write.job(job_id, JobPermission.MANAGE_TEAMS)
    write.explain(message)
    write.refuse()
    job.remove_team(team_id, write)
    return {"job_id": job.id}


async def team_problems_of(
    write: Write, team_ids: Sequence[str], needed: TeamPermission, has: frozenset[str] = frozenset()
) -> Sequence[UserError]:
    """Return what is wrong with teams to share with; `has` are those that have the job, for which nothing is needed."""
    if not team_ids:
        return [TeamRequired(path=("team_ids",), advice="Name one.")]
    rows = await write.session.execute(TEAM_ROLES, write.parameters(team_ids))
    return list(_missing(write, team_ids, {row.id: row.role for row in rows}, needed, has))


def _missing(
    write: Write,
    team_ids: Sequence[str],
    roles: Mapping[str, TeamRole | None],
    needed: TeamPermission,
    has: frozenset[str],
) -> Iterator[UserError]:
    for index, team_id in enumerate(team_ids):
        path = ("team_ids", str(index))
        if team_id not in roles:
            yield TeamNotFound(path=path, missing_id=team_id)
        elif team_id not in has and not may_in_team(write.caller, roles[team_id], needed):
            yield Forbidden(path=path, team_id=team_id, missing_team_role=least_role(IN_TEAM, needed))


async def _is_taken(write: Write, job_key: str) -> bool:
    same = (Job.organization_id == write.caller.organization_id) & (Job.job_key == job_key)
    row = await write.first(timed(select(exists().where(same))))
    return row is not None and row[0]


async def _found_dependents(write: Write, job_id: str) -> JobHasDependents | None:
    """Return the refusal if other jobs depend on the job. It counts all of them, and shows some of the visible ones."""
    is_visible = visible(write.caller)
    counts = dict(
        (await write.session.execute(_dependents(job_id, is_visible, func.count()).group_by(is_visible))).all()
    )
    if not counts:
        return None
    shown = _dependents(job_id, Job.id).where(is_visible).order_by(Job.job_key).limit(limits.SHOWN_DEPENDENTS)
    ids = tuple(await write.session.scalars(shown))
    return JobHasDependents(dependent_ids=ids, visible_count=counts.get(True, 0), hidden_count=counts.get(False, 0))


def _dependents(job_id: str, *columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).select_from(Job).where(depends_on(literal(job_id)))


async def _keep(write: Write, deleted: DeletedJob) -> None:
    """Store what is kept of a job that is being deleted, and let the dependencies of other jobs refer to it."""
    write.session.add(deleted)
    await write.session.flush()
    on_job = update_of(JobVersionDependency).where(JobVersionDependency.depends_on_id == deleted.id)
    await write.session.execute(
        on_job.values(depends_on_id=None, deleted_job_id=deleted.id),
        execution_options={"synchronize_session": False},
    )


async def _end_leases(write: Write, run_ids: Sequence[str]) -> None:
    """Delete the leases with the session: a dry run doesn't know that the database deletes them after the runs."""
    leases = select(RunLease).where(among(RunLease.run_id, run_ids))
    for each in await write.session.scalars(leases) if run_ids else ():
        await write.session.delete(each)


async def _cancel_runs(write: Write, job: Job) -> list[JobRun]:
    unfinished = select(JobRun).where(JobRun.job_id == job.id, JobRun.status.in_(UNFINISHED)).order_by(JobRun.id)
    runs = list(await write.session.scalars(unfinished.with_for_update(of=JobRun)))
    await _end_leases(write, [run.id for run in runs if run.status is JobRunStatus.RUNNING])
    for run in runs:
        run.finish(JobRunStatus.CANCELLED, write.now)
        record(write, EventAction.RUN_FINISHED, run, RunJob.of(job))
    await write.session.flush()
    return runs
