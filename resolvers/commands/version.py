from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.resolvers.commands.references import references_of
from mainsheet.resolvers.write import VersionAnswer, Write, command


@command("createVersion", AccessScope.WRITE)
async def create(
    write: Write,
    *,
    job_id: str,
    changes: Mapping[str, Any],
    message: str | None = None,
    expected_current_version: int | None = None,
) -> VersionAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    job.expect(write, current_version=expected_current_version)
    references = await references_of(write, job.current.config.changed(changes), changes, will_run=True)
    version = job.create_version(changes, message, references, write)
    return {"job_id": job.id, "version_id": version.id}


@command("activateVersion", AccessScope.WRITE)
async def activate(
    write: Write,
    *,
    job_id: str,
    number: int,
    message: str | None = None,
    expected_current_version: int | None = None,
) -> VersionAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    job.expect(write, current_version=expected_current_version)
    version = await _numbered(write, job, number)
    references = await references_of(write, (version or job.current).config, {}, will_run=True)
    version = job.activate(number, version, message, references, write)
    return {"job_id": job.id, "version_id": version.id}


async def _numbered(write: Write, job: Job, number: int) -> JobVersion | None:
    of_job = select(JobVersion).where(JobVersion.job_id == job.id, JobVersion.number == number)
    return await write.session.scalar(of_job)
