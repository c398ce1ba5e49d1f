from collections.abc import Mapping
from typing import Any

from mainsheet.models.errors import DraftNotFound, Path
from mainsheet.models.job import Job
from mainsheet.models.job_steps import expect, published_problems
from mainsheet.models.job_version import JobVersion
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.resolvers.commands.references import references_of
from mainsheet.resolvers.locked_job import versions_of
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
    expect(job, write, current_version=expected_current_version)
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
    discard_draft: bool = False,
    expected_draft_revision: int | None = None,
) -> VersionAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    expect(job, write, current_version=expected_current_version, draft_revision=expected_draft_revision)
    if job.draft is None and expected_draft_revision is not None:
        write.problems.append(DraftNotFound(path=("expected_draft_revision",)))
    version = await _numbered(write, job, number)
    references = await references_of(write, (version or job.current).config, {}, will_run=True)
    version = job.activate(number, version, message, references, write, discards=discard_draft)
    return {"job_id": job.id, "version_id": version.id}


async def published(write: Write, job: Job, number: int | None, path: Path) -> JobVersion | None:
    """Return the published version, by default the current one, or add a problem with this path and return None."""
    if number is None:
        return job.current
    version = await _numbered(write, job, number)
    problems = list(published_problems(number, version, path))
    write.problems += problems
    return None if problems else version


async def _numbered(write: Write, job: Job, number: int) -> JobVersion | None:
    working = [each for each in (job.current, job.draft) if each and each.number == number]
    return next(iter(working or await versions_of(write.session, job, number, number)), None)
