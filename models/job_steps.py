"""When each step in the life of a job's configuration is allowed."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mainsheet.models.errors import DraftExists, DraftNotFound, UserError, VersionNotFound, VersionNotPublished
from mainsheet.models.event import EventAction
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
    if version is None:
        yield VersionNotFound(number=number)
    elif version.status is JobVersionStatus.DRAFT:
        yield VersionNotPublished(number=number)
    elif number != job.current_number:
        yield from version.config.running_problems(references, job.id, {"cluster_id": ("number",)})
