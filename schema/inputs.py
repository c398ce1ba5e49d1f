"""The mutations' inputs."""

from typing import Any

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.models.job import JobStatus
from mainsheet.schema.config_input import LINE, JobConfigChangesInput, JobConfigInput

PROSE = "At most 1023 characters, in lines or not, without control characters and bidirectional overrides."


def _job_id() -> Any:
    return strawberry.field(description="The job.")


def _message(why: str) -> Any:
    return strawberry.field(default=UNSET, description=f"{why}, for the history; at most 1023 characters.")


def _expected_revision(whose: str) -> Any:
    return strawberry.field(
        default=UNSET, description=f"Refuse unless the {whose} has this revision. Omit: the last write wins."
    )


def _expected_current_version() -> Any:
    return strawberry.field(
        default=UNSET, description="Refuse unless this is the current version's number. Omit: the last write wins."
    )


def _dry_run() -> Any:
    return strawberry.field(default=False, description="Check everything, answer as if it were done, change nothing.")


def _idempotency_key() -> Any:
    return strawberry.field(
        default=UNSET,
        description="Any text of 1 to 255 characters that isn't blank. The same key with the same input within 24 hours"
        " does the work once and gives the first answer.",
    )


@strawberry.input(description="What a new job is.")
class CreateJobInput:
    job_key: str = strawberry.field(
        description="1 to 100 characters, lower-case letters and digits in groups joined by single hyphens or"
        " underscores; unique in the organization, never changes."
    )
    name: str = strawberry.field(description=LINE)
    description: str | None = strawberry.field(default=UNSET, description=PROSE)
    team_ids: list[strawberry.ID] = strawberry.field(
        description="The teams to share it with, at least one; you need the role CONTRIBUTOR or more in each."
    )
    config: JobConfigInput = strawberry.field(description="The first version's configuration.")
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="Changes of a job itself, not of its configuration.")
class UpdateJobInput:
    job_id: strawberry.ID = _job_id()
    name: Maybe[str | None] = strawberry.field(description=f"{LINE} Null is refused. Omit to keep.")
    description: Maybe[str | None] = strawberry.field(description=f"{PROSE} Null: no description. Omit to keep.")
    status: Maybe[JobStatus | None] = strawberry.field(
        description="Whether its schedule is on. Null is refused. Omit to keep."
    )
    message: str | None = _message("Why it is paused or changed")
    expected_revision: int | None = _expected_revision("job")


@strawberry.input(description="Which job to delete.")
class DeleteJobInput:
    job_id: strawberry.ID = _job_id()
    expected_revision: int | None = _expected_revision("job")


@strawberry.input(description="Which job to draft, and how the draft differs.")
class CreateDraftInput:
    job_id: strawberry.ID = _job_id()
    changes: JobConfigChangesInput | None = strawberry.field(
        default=UNSET, description="What to change in the copy of the current version. Omit for a plain copy."
    )
    dry_run: bool | None = _dry_run()


@strawberry.input(description="What to change in a draft.")
class UpdateDraftInput:
    job_id: strawberry.ID = _job_id()
    changes: JobConfigChangesInput = strawberry.field(description="What to change in the draft.")
    expected_revision: int | None = _expected_revision("draft")
    dry_run: bool | None = _dry_run()


@strawberry.input(description="Which draft to give up.")
class DiscardDraftInput:
    job_id: strawberry.ID = _job_id()
    expected_revision: int | None = _expected_revision("draft")


@strawberry.input(description="Which draft to publish.")
class PublishDraftInput:
    job_id: strawberry.ID = _job_id()
    message: str | None = _message("Why it is published")
    expected_revision: int | None = _expected_revision("draft")
    expected_current_version: int | None = _expected_current_version()
    dry_run: bool | None = _dry_run()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="What the new version changes in the current one.")
class CreateVersionInput:
    job_id: strawberry.ID = _job_id()
    changes: JobConfigChangesInput = strawberry.field(description="What to change in the current version.")
    message: str | None = _message("Why it is published")
    expected_current_version: int | None = _expected_current_version()
    dry_run: bool | None = _dry_run()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="Which version is to run.")
class ActivateVersionInput:
    job_id: strawberry.ID = _job_id()
    number: int = strawberry.field(description="The number of a published version.")
    message: str | None = _message("Why it is activated")
    expected_current_version: int | None = _expected_current_version()
    dry_run: bool | None = _dry_run()


@strawberry.input(description="With whom to share a job.")
class AddTeamsToJobInput:
    job_id: strawberry.ID = _job_id()
    team_ids: list[strawberry.ID] = strawberry.field(
        description="At least one team; you must be in each. A team that has access already keeps its first grant."
    )


@strawberry.input(description="Who is to lose access to a job.")
class RemoveTeamFromJobInput:
    job_id: strawberry.ID = _job_id()
    team_id: strawberry.ID = strawberry.field(description="A team with access. The last one can't be removed.")


@strawberry.input(description="Changes of the organization.")
class UpdateOrganizationInput:
    name: Maybe[str | None] = strawberry.field(description="1 to 255 characters. Null is refused. Omit to keep.")
    dry_run: bool | None = _dry_run()
    idempotency_key: str | None = _idempotency_key()
