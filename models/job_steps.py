"""When each step in the life of a job's configuration is allowed."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mainsheet.models.edit import Edit
from mainsheet.models.errors import DraftExists, DraftNotFound, Path, UserError, VersionNotFound, VersionNotPublished
from mainsheet.models.event import EventAction
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.references import References

if TYPE_CHECKING:
    from mainsheet.models.job import Job

# Each step either needs the draft or needs that there is none.
NEEDS_DRAFT: Mapping[EventAction, bool] = {
    EventAction.DRAFT_CREATED: False,
    EventAction.DRAFT_UPDATED: True,
    EventAction.DRAFT_DISCARDED: True,
    EventAction.DRAFT_PUBLISHED: True,
    EventAction.VERSION_CREATED: False,
    EventAction.VERSION_ACTIVATED: False,
}


def step_problems(step: EventAction, draft: JobVersion | None) -> Iterator[UserError]:
    """Yield a problem if the step isn't allowed for a job with this draft, or with none."""
    if NEEDS_DRAFT[step] and draft is None:
        yield DraftNotFound()
    if not NEEDS_DRAFT[step] and draft is not None:
        yield DraftExists(draft_id=draft.id, number=draft.number)


def activation_problems(
    job: "Job", number: int, version: JobVersion | None, references: References
) -> Iterator[UserError]:
    """Yield the problems of activating the version with this number."""
    yield from published_problems(number, version, ("number",))
    if version and version.status is JobVersionStatus.PUBLISHED and number != job.current_number:
        yield from version.config.running_problems(references, job.id, {"cluster_id": ("number",)})


def published_problems(number: int, version: JobVersion | None, path: Path) -> Iterator[UserError]:
    """Yield a problem unless the version with this number is there and published."""
    if version is None:
        yield VersionNotFound(path=path, number=number)
    elif version.status is JobVersionStatus.DRAFT:
        yield VersionNotPublished(path=path, number=number)


def expect(
    job: "Job",
    edit: Edit,
    *,
    revision: int | None = None,
    draft_revision: int | None = None,
    current_version: int | None = None,
) -> None:
    """Add a problem for each value that differs from the caller's expectation. `None` expects nothing.

    The step that follows raises all problems at once, such as a missing draft.
    """
    edit.expect("expected_job_revision", "the job's revision", revision, job.revision)
    if job.draft:
        edit.expect("expected_draft_revision", "the draft's revision", draft_revision, job.draft.revision)
    edit.expect("expected_current_version", "the current version", current_version, job.current_number)


def changed_config(version: JobVersion, values: Mapping[str, Any], references: References, edit: Edit) -> JobConfig:
    """Return the version's configuration with the values replaced. Raises all problems of the edit."""
    config = version.config.changed(values, references.jobs)
    edit.problems += version.config.removal_problems(values, ("changes",))
    edit.problems += config.change_problems(values, ("changes",), references, version.job_id)
    edit.refuse()
    return config
