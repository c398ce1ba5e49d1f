"""What mutations answer: a command's answer by name, shown as the rows of the snapshot after it.

The private fields are keys of the answer; a payload refuses a key that it doesn't declare.
"""

from typing import Any

import strawberry

from mainsheet.resolvers import job, job_version, organization
from mainsheet.schema import names
from mainsheet.schema.job_run import JobRun
from mainsheet.schema.relation import relation
from mainsheet.schema.user_error import UserError

Key = strawberry.Private[str | None]


def _job() -> Any:
    return relation(job.by_ids, names.Job | None, "The job as it is now. Null if you can't see it.", key="job_id")


def _user_errors() -> Any:
    return strawberry.field(description="All that is wrong with the input. If there is any, nothing was changed.")


@strawberry.type(description="The job.")
class JobPayload:
    job_id: Key = None
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What was deleted.")
class DeleteJobPayload:
    deleted_job_id: strawberry.ID | None = strawberry.field(
        default=None, description="The deleted job's id. Null if refused."
    )
    cancelled_runs: list[JobRun] = strawberry.field(
        default_factory=list, description="The runs that were cancelled, as they ended."
    )
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The draft and its job.")
class DraftPayload:
    job_id: Key = None
    draft = relation(
        job_version.drafts, names.JobVersion | None, "The draft as it is now. Null if there is none.", key="job_id"
    )
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What was discarded.")
class DiscardDraftPayload:
    job_id: Key = None
    job = _job()
    discarded_number: int | None = strawberry.field(
        default=None, description="The draft's number, which is never used again. Null if refused."
    )
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The version that is current now, and its job.")
class VersionPayload:
    job_id: Key = None
    version_id: Key = None
    version = relation(
        job_version.by_ids, names.JobVersion | None, "The current version. Null if refused.", key="version_id"
    )
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The organization.")
class UpdateOrganizationPayload:
    organization_id: Key = None
    organization = relation(
        organization.by_ids,
        names.Organization | None,
        "The organization as it is now. Null if refused.",
        key="organization_id",
    )
    user_errors: list[UserError] = _user_errors()
