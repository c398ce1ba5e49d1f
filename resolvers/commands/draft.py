from collections.abc import Mapping
from typing import Any

from mainsheet.models.errors import Refused
from mainsheet.models.event import EventAction
from mainsheet.models.job_steps import expect, step_problems
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.resolvers.commands.references import references_of
from mainsheet.resolvers.commands.version import published
from mainsheet.resolvers.write import DiscardAnswer, JobAnswer, VersionAnswer, Write, command


@command("createDraft", AccessScope.WRITE)
async def create(
    write: Write,
    *,
    job_id: str,
    changes: Mapping[str, Any] | None = None,
    from_version: int | None = None,
    message: str | None = None,
) -> JobAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    values, base = changes or {}, await published(write, job, from_version, ("from_version",))
    if base is None:  # there is nothing to check the changes against
        raise Refused([*write.problems, *step_problems(EventAction.DRAFT_CREATED, job.draft)])
    job.create_draft(
        values, await references_of(write, base.config.changed(values), values), write, base=base, message=message
    )
    return {"job_id": job.id}


@command("updateDraft", AccessScope.WRITE)
async def update(
    write: Write,
    *,
    job_id: str,
    changes: Mapping[str, Any],
    message: str | None = None,
    expected_draft_revision: int | None = None,
) -> JobAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    write.explain(message)
    expect(job, write, draft_revision=expected_draft_revision)
    config = (job.draft or job.current).config.changed(changes)
    job.update_draft(changes, await references_of(write, config, changes), write)
    return {"job_id": job.id}


@command("discardDraft", AccessScope.WRITE)
async def discard(
    write: Write, *, job_id: str, message: str | None = None, expected_draft_revision: int | None = None
) -> DiscardAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    write.explain(message)
    expect(job, write, draft_revision=expected_draft_revision)
    draft = job.discard_draft(write)
    return {"job_id": job.id, "discarded_number": draft.number}


@command("publishDraft", AccessScope.WRITE)
async def publish(
    write: Write,
    *,
    job_id: str,
    message: str | None = None,
    expected_draft_revision: int | None = None,
    expected_current_version: int | None = None,
) -> VersionAnswer:
    job = await write.job(job_id, JobPermission.EDIT)
    expect(job, write, draft_revision=expected_draft_revision, current_version=expected_current_version)
    config = (job.draft or job.current).config
    version = job.publish_draft(message, await references_of(write, config, {}, will_run=True), write)
    return {"job_id": job.id, "version_id": version.id}
