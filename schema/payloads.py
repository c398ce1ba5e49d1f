"""The payloads of mutations. Ids in a command's answer are shown as the rows of the snapshot after it.

The private fields are the keys of the answer. A payload raises an error for a key that it doesn't declare.
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
    return relation(
        job.by_ids, names.Job | None, "The job in its present state. Null if you can't see it.", key="job_id"
    )


def _user_errors() -> Any:
    return strawberry.field(
        description=("The reasons why the mutation was refused. If the list isn't empty, nothing was changed.")
    )


@strawberry.type(description="The job.")
class JobPayload:
    job_id: Key = None
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The result of `deleteJob`.")
class DeleteJobPayload:
    deleted_job_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the deleted job. Null if the mutation was refused."
    )
    cancelled_runs: list[JobRun] = strawberry.field(
        default_factory=list, description="The runs that were cancelled, in their final state."
    )
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="A draft and its job.")
class DraftPayload:
    job_id: Key = None
    draft = relation(
        job_version.drafts,
        names.JobVersion | None,
        ("The draft in its present state. Null if the job has no draft."),
        key="job_id",
    )
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The result of `discardDraft`.")
class DiscardDraftPayload:
    job_id: Key = None
    job = _job()
    discarded_number: int | None = strawberry.field(
        default=None,
        description=("The number of the discarded draft, which isn't used again. Null if the mutation was refused."),
    )
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The version that the mutation made current, and its job.")
class VersionPayload:
    job_id: Key = None
    version_id: Key = None
    version = relation(
        job_version.by_ids,
        names.JobVersion | None,
        "The version that the mutation made current. Null if the mutation was refused.",
        key="version_id",
    )
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The organization.")
class UpdateOrganizationPayload:
    organization_id: Key = None
    organization = relation(
        organization.by_ids,
        names.Organization | None,
        "The organization in its present state. Null if the mutation was refused.",
        key="organization_id",
    )
    user_errors: list[UserError] = _user_errors()
