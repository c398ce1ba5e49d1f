"""The mutations' inputs."""

from typing import Any

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.models.job import JobStatus
from mainsheet.schema.config_input import NAME, JobConfigChangesInput, JobConfigInput

PROSE = (
    "A description for people, at most 1023 characters. Line breaks are allowed; control characters"
    " and bidirectional overrides are refused."
)


TAGS = (
    "At most 20 tags of 1 to 63 lower-case letters, digits and `_ . : / -`, each beginning with a letter or digit. A"
    " repeated tag counts once."
)

JOB_KEY = (
    "The key of the job, unique within the organization. It never changes. 1 to 100 lower-case letters and digits, in"
    " groups joined by single hyphens or underscores."
)


def _job_id() -> Any:
    return strawberry.field(description="The job.")


def message(what: str = "change", kept: str = "kept in the event", *, addition: str = "") -> Any:
    return strawberry.field(
        default=UNSET,
        description=f"The reason for the {what}, {kept}. At most 1023 characters.{addition}",
    )


def _expected_revision(whose: str) -> Any:
    return strawberry.field(
        default=UNSET,
        description=f"The expected revision of the {whose}. If it differs, the mutation is refused. Omit to skip the"
        " check: the last write wins.",
    )


def _expected_current_version() -> Any:
    return strawberry.field(
        default=UNSET,
        description=(
            "The expected number of the current version. If it differs, the mutation is refused. Omit to skip the"
            " check: the last write wins."
        ),
    )


def dry_run() -> Any:
    return strawberry.field(
        default=False,
        description=(
            "Validate the input and return what the mutation would return, without changing anything. The ids"
            " of new objects are valid in this result only."
        ),
    )


REFUSED_ITEMS = " Items that were refused are tried again if each item is a transaction of its own."


def idempotency_key(addition: str = "") -> Any:
    return strawberry.field(
        default=UNSET,
        description=(
            "A text of 1 to 255 characters, not blank, that makes a retry safe. Within 24 hours, the same key with the"
            " same input changes nothing again and returns the first result. With another input or mutation it is"
            f" refused.{addition}"
        ),
    )


@strawberry.input(description="A new job and its first version.")
class CreateJobInput:
    job_key: str = strawberry.field(description=JOB_KEY)
    name: str = strawberry.field(description=NAME)
    description: str | None = strawberry.field(default=UNSET, description=PROSE)
    tags: list[str] = strawberry.field(default_factory=list, description=TAGS)
    team_ids: list[strawberry.ID] = strawberry.field(
        description=(
            "The teams that get access to the job, at least one. You need the role CONTRIBUTOR or ADMIN in"
            " each, or the organization role ADMIN."
        )
    )
    config: JobConfigInput = strawberry.field(description="The configuration of the first version.")
    message: str | None = message("new job")
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A new job with the configuration of a version of another job.")
class CloneJobInput:
    job_id: strawberry.ID = strawberry.field(description="The job to clone. You must be able to see it.")
    version_number: int | None = strawberry.field(
        default=UNSET, description="The number of the published version to copy. Omit for the current version."
    )
    job_key: str = strawberry.field(description=JOB_KEY)
    name: str = strawberry.field(description=NAME)
    description: Maybe[str | None] = strawberry.field(
        description=f"{PROSE} Null for none. Omit to copy that of the other job."
    )
    tags: Maybe[list[str] | None] = strawberry.field(
        description=f"{TAGS} Null isn't allowed. Omit to copy those of the other job."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description=(
            "The teams that get access to the new job, at least one. You need the role CONTRIBUTOR or ADMIN in each, or"
            " the organization role ADMIN."
        )
    )
    message: str | None = message("new job")
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to one of many jobs. Their configurations are changed with drafts.")
class UpdateJobsItemInput:
    job_id: strawberry.ID = _job_id()
    name: Maybe[str | None] = strawberry.field(description=f"{NAME} Null isn't allowed. Omit to keep the value.")
    description: Maybe[str | None] = strawberry.field(
        description=f"{PROSE} Null removes the description. Omit to keep the value."
    )
    tags: Maybe[list[str] | None] = strawberry.field(
        description=f"{TAGS} They replace all tags of the job. Null isn't allowed. Omit to keep the value."
    )
    status: Maybe[JobStatus | None] = strawberry.field(
        description="Whether the schedule is active or paused. Null isn't allowed. Omit to keep the value."
    )
    message: str | None = message("change, such as a pause")
    expected_job_revision: int | None = _expected_revision("job")


@strawberry.input(description="Changes to a job itself. Its configuration is changed with a draft.")
class UpdateJobInput(UpdateJobsItemInput):
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to many jobs. Each item is one transaction.")
class UpdateJobsInput:
    jobs: list[UpdateJobsItemInput] = strawberry.field(description="The changes, 1 to 100.")
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key(REFUSED_ITEMS)


@strawberry.input(description="The job to delete.")
class DeleteJobInput:
    job_id: strawberry.ID = _job_id()
    expected_job_revision: int | None = _expected_revision("job")
    force: bool = strawberry.field(
        default=False,
        description="Delete the job although current versions or drafts of other jobs depend on it.",
    )
    message: str | None = message("deletion")
    dry_run: bool = dry_run()


@strawberry.input(description="The job to create a draft of, and the changes to make in the draft.")
class CreateDraftInput:
    job_id: strawberry.ID = _job_id()
    changes: JobConfigChangesInput | None = strawberry.field(
        default=UNSET, description="The changes to the copied configuration. Omit to copy it unchanged."
    )
    from_version: int | None = strawberry.field(
        default=UNSET, description="The number of the published version to copy. Omit for the current version."
    )
    message: str | None = message("draft")
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The changes to a draft.")
class UpdateDraftInput:
    job_id: strawberry.ID = _job_id()
    message: str | None = message("change")
    changes: JobConfigChangesInput = strawberry.field(description="The changes to the configuration of the draft.")
    expected_draft_revision: int | None = _expected_revision("draft")
    dry_run: bool = dry_run()


@strawberry.input(description="The draft to discard.")
class DiscardDraftInput:
    job_id: strawberry.ID = _job_id()
    expected_draft_revision: int | None = _expected_revision("draft")
    message: str | None = message("discarding of the draft")
    dry_run: bool = dry_run()


@strawberry.input(description="The draft to publish.")
class PublishDraftInput:
    job_id: strawberry.ID = _job_id()
    message: str | None = message("publication")
    expected_draft_revision: int | None = _expected_revision("draft")
    expected_current_version: int | None = _expected_current_version()
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The changes from the current version to the new one.")
class CreateVersionInput:
    job_id: strawberry.ID = _job_id()
    changes: JobConfigChangesInput = strawberry.field(
        description="The changes to the configuration of the current version."
    )
    message: str | None = message("publication")
    expected_current_version: int | None = _expected_current_version()
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The version to activate.")
class ActivateVersionInput:
    job_id: strawberry.ID = _job_id()
    number: int = strawberry.field(description="The number of the published version to activate.")
    discard_draft: bool = strawberry.field(
        default=False,
        description=(
            "Discard the draft of the job, if there is one. The event DRAFT_DISCARDED keeps the draft's configuration."
        ),
    )
    message: str | None = message("activation")
    expected_current_version: int | None = _expected_current_version()
    expected_draft_revision: int | None = _expected_revision("draft")
    dry_run: bool = dry_run()


@strawberry.input(description="The teams that get access to a job.")
class AddTeamsToJobInput:
    job_id: strawberry.ID = _job_id()
    team_ids: list[strawberry.ID] = strawberry.field(
        description=(
            "The teams, at least one. You must belong to each that gets access, or have the organization role"
            " ADMIN. Nothing changes for a team that already has access."
        )
    )
    message: str | None = message("access")
    dry_run: bool = dry_run()


@strawberry.input(description="The team that loses access to a job.")
class RemoveTeamFromJobInput:
    job_id: strawberry.ID = _job_id()
    team_id: strawberry.ID = strawberry.field(
        description="A team that has access. The last team of a job can't be removed."
    )
    message: str | None = message("removal")
    dry_run: bool = dry_run()


@strawberry.input(description="Changes to the organization.")
class UpdateOrganizationInput:
    name: Maybe[str | None] = strawberry.field(description=f"{NAME} Null isn't allowed. Omit to keep the value.")
    expected_revision: int | None = _expected_revision("organization")
    message: str | None = message("change")
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key()
