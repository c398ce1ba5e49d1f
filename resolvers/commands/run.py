"""What people do with runs. What workers do is in `claim.py`, what the scheduler does in `scheduled_run.py`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from mainsheet.models import limits
from mainsheet.models.errors import (
    Forbidden,
    Invalid,
    JobNotFound,
    UserError,
    VersionNotFound,
    VersionNotPublished,
)
from mainsheet.models.event import EventAction
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.models.run_errors import RunNotFound
from mainsheet.resolvers.commands.latest_run import refresh_latest_runs
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.write import RunAnswer, Write, command


@command("triggerRun", AccessScope.WRITE)
async def trigger(
    write: Write,
    *,
    job_id: str,
    version_number: int | None = None,
    parameters: Sequence[Mapping[str, str]] = (),
    message: str | None = None,
    hold: bool = False,
) -> RunAnswer:
    job = await write.job(job_id, JobPermission.RUN)
    version = job.current if version_number is None else await _version(write, job, version_number)
    write.problems += _parameter_problems(parameters)
    if message is not None:
        write.problems += limits.MESSAGE.check(message, ("message",))
    write.refuse()
    of = of_version(job, version)
    run = JobRun.manual(of, write.actor_id, write.at, hold=hold, parameters=parameters, message=message)
    write.session.add(run)
    record(write, EventAction.RUN_TRIGGERED, run, job, message)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "run_id": run.id}


@command("releaseRun", AccessScope.RUNS, AccessScope.WRITE)
async def release(write: Write, *, run_id: str) -> RunAnswer:
    run, job = await locked(write, run_id, JobPermission.RUN)
    before = run.status
    run.release(write.at)
    if run.status is not before:
        record(write, EventAction.RUN_RELEASED, run, job)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "run_id": run.id}


@command("cancelRun", AccessScope.RUNS, AccessScope.WRITE)
async def cancel(write: Write, *, run_id: str, reason: str | None = None) -> RunAnswer:
    run, job = await locked(write, run_id, JobPermission.RUN)
    if reason is not None:
        write.problems += limits.MESSAGE.check(reason, ("reason",))
    write.refuse()
    before = run.cancel_requested_at
    run.cancel(write.actor_id, write.at)
    if run.cancel_requested_at is not before:
        record(write, EventAction.RUN_CANCEL_REQUESTED, run, job, reason)
        if run.is_finished:
            record(write, EventAction.RUN_FINISHED, run, job)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "run_id": run.id}


@command("deleteRun", AccessScope.WRITE)
async def delete(write: Write, *, run_id: str) -> Mapping[str, Any]:
    run, job = await locked(write, run_id, JobPermission.DELETE)
    run.refuse_deletion()
    record(write, EventAction.RUN_DELETED, run, job)
    await write.session.delete(run)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "deleted_run_id": run_id}


def record(write: Write, action: EventAction, run: JobRun, job: Job, message: str | None = None) -> None:
    """Add an event about the run of a job whose teams are loaded."""
    teams = sorted(each.team_id for each in job.teams)
    versions = (None, run.version_number)
    write.record(action, run, job.job_key, job_id=job.id, team_ids=teams, versions=versions, message=message)


def of_version(job: Job, version: JobVersion) -> dict[str, Any]:
    """Return the columns of a run that its job and version determine."""
    return {
        "organization_id": job.organization_id,
        "job_id": job.id,
        "version_number": version.number,
        "cluster_id": version.cluster_id,
    }


async def _version(write: Write, job: Job, number: int) -> JobVersion:
    version = await write.session.scalar(
        select(JobVersion).where(JobVersion.job_id == job.id, JobVersion.number == number)
    )
    if version is None:
        raise VersionNotFound(number=number, path=("version_number",))
    if version.status is JobVersionStatus.DRAFT:
        raise VersionNotPublished(number=number, path=("version_number",))
    return version


def _parameter_problems(parameters: Sequence[Mapping[str, str]]) -> Iterator[UserError]:
    yield from limits.ENTRIES.check(len(parameters), ("parameters",))
    names = [each["name"] for each in parameters]
    for index, each in enumerate(parameters):
        path = ("parameters", str(index))
        yield from limits.NAME.check(each["name"], (*path, "name"))
        yield from limits.ARGUMENT.check(each["value"], (*path, "value"))
        if each["name"] in names[:index]:
            yield Invalid(path=(*path, "name"), reason=f"The name {each['name']!a:.60} is given twice.")


async def locked(write: Write, run_id: str, permission: JobPermission) -> tuple[JobRun, Job]:
    """Return the run and its job, both locked. Raises `RunNotFound` if the caller can't see the job, or `Forbidden`."""
    found = select(JobRun.job_id).join(Job, Job.id == JobRun.job_id).where(JobRun.id == run_id, visible(write.caller))
    job_id = await write.session.scalar(found) if limits.storable(run_id) else None
    if job_id is None:
        raise RunNotFound(missing_id=run_id)
    try:
        job = await write.job(job_id, permission)
    except JobNotFound as error:
        raise RunNotFound(missing_id=run_id) from error
    except Forbidden as error:
        raise Forbidden(path=("run_id",), missing_permission=permission) from error
    run = await write.session.scalar(select(JobRun).where(JobRun.id == run_id).with_for_update(of=JobRun))
    if run is None:
        raise RunNotFound(missing_id=run_id)
    return run, job
