"""What mutations answer: ids by name, shown as the rows of the snapshot after them."""

from collections.abc import Sequence
from typing import Any

import strawberry

from resolvers import job, job_version
from schema import names
from schema.job_run import JobRun
from schema.relation import relation
from schema.user_error import UserError


class Payload:
    """An answer's values by name; what it doesn't hold is null."""

    user_errors: Sequence[Any]

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> None:
        if name.startswith("_"):
            raise AttributeError(name)


def _job() -> Any:
    return relation(job.by_ids, names.Job | None, "The job as it is now. Null if you can't see it.", key="job_id")


def _user_errors() -> Any:
    return strawberry.field(description="All that is wrong with the input. If there is any, nothing was changed.")


@strawberry.type(description="The job.")
class JobPayload:
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What was deleted.")
class DeleteJobPayload:
    deleted_job_id: strawberry.ID | None = strawberry.field(description="The deleted job's id. Null if refused.")
    cancelled_runs: list[JobRun] = strawberry.field(description="The runs that were cancelled, as they ended.")
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The draft and its job.")
class DraftPayload:
    draft = relation(
        job_version.drafts, names.JobVersion | None, "The draft as it is now. Null if there is none.", key="job_id"
    )
    job = _job()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What was discarded.")
class DiscardDraftPayload:
    job = _job()
    discarded_number: int | None = strawberry.field(
        description="The draft's number, which is never used again. Null if refused."
    )
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="The version that is current now, and its job.")
class VersionPayload:
    version = relation(
        job_version.by_ids, names.JobVersion | None, "The current version. Null if refused.", key="version_id"
    )
    job = _job()
    user_errors: list[UserError] = _user_errors()
