"""What people do with runs. What workers do is in `claim.py`, what the scheduler does in `scheduled_run.py`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from mainsheet.models import limits
from mainsheet.models.errors import Invalid, UserError, VersionNotFound, VersionNotPublished
from mainsheet.models.event import EventAction
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.resolvers.commands.latest_run import refresh_latest_runs
from mainsheet.resolvers.commands.locked_run import RunJob, locked, record
from mainsheet.resolvers.write import RunAnswer, Write, command

PARAMETER_TEXTS = {"name": limits.NAME, "value": limits.ARGUMENT}


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
    parameters = [limits.normal(PARAMETER_TEXTS, each) for each in parameters]
    write.problems += _parameter_problems(parameters)
    write.explain(message)
    write.refuse()
    of, after = of_version(job, version), job.latest_run_at
    run = JobRun.manual(of, write.actor_id, write.now, after=after, hold=hold, parameters=parameters, message=message)
    write.session.add(run)
    record(write, EventAction.RUN_TRIGGERED, run, RunJob.of(job))
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "run_id": run.id}


@command("releaseRun", AccessScope.RUNS, AccessScope.WRITE)
async def release(write: Write, *, run_id: str, message: str | None = None) -> RunAnswer:
    run, job = await locked(write, run_id, JobPermission.RUN)
    write.explain(message)
    write.refuse()
    before = run.status
    run.release(write.now)
    if run.status is not before:
        record(write, EventAction.RUN_RELEASED, run, job)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "run_id": run.id}


@command("cancelRun", AccessScope.RUNS, AccessScope.WRITE)
async def cancel(write: Write, *, run_id: str, message: str | None = None) -> RunAnswer:
    run, job = await locked(write, run_id, JobPermission.RUN)
    write.explain(message)
    write.refuse()
    before = run.cancel_requested_at
    run.cancel(write.actor_id, write.now)
    if run.cancel_requested_at is not before:
        record(write, EventAction.RUN_CANCEL_REQUESTED, run, job)
        if run.is_finished:
            record(write, EventAction.RUN_FINISHED, run, job)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "run_id": run.id}


@command("deleteRun", AccessScope.WRITE)
async def delete(write: Write, *, run_id: str, message: str | None = None) -> Mapping[str, Any]:
    run, job = await locked(write, run_id, JobPermission.DELETE)
    write.explain(message)
    write.refuse()
    run.refuse_deletion()
    record(write, EventAction.RUN_DELETED, run, job)
    await write.session.delete(run)
    await refresh_latest_runs(write.session, [job.id])
    return {"job_id": job.id, "deleted_run_id": run_id}


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
        yield from limits.text_problems(PARAMETER_TEXTS, each, path)
        if each["name"] in names[:index]:
            yield Invalid(path=(*path, "name"), reason=f"The name {each['name']!a:.60} is given twice.")
