"""The filter and the arguments of every list of jobs."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from mainsheet.models import limits
from mainsheet.models.errors import BadInput
from mainsheet.models.job import JobStatus
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.source import SourceKind
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job_list import JobListArguments, JobSortField
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.schema.conditions import EACH_LIST, conditions
from mainsheet.schema.connection import described, with_page_arguments


@strawberry.input(
    description=(
        "Conditions that a job must meet to be listed. They are combined with AND; an omitted or null field "
        f"is no condition. {EACH_LIST}"
    )
)
class JobFilter:
    search: str | None = strawberry.field(
        default=UNSET,
        description=(
            "A text that the key, name or description contains, at most 255 characters. Case, Unicode "
            "normalization and surrounding spaces make no difference. A blank text is no condition."
        ),
    )
    statuses: list[JobStatus] | None = strawberry.field(default=UNSET, description="The job has one of these statuses.")
    team_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="One of these teams has access to the job."
    )
    cluster_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The current version runs on one of these clusters."
    )
    tags_all_of: list[str] | None = strawberry.field(default=UNSET, description="The job has all of these tags.")
    tags_any_of: list[str] | None = strawberry.field(
        default=UNSET, description="The job has at least one of these tags."
    )
    has_draft: bool | None = strawberry.field(default=UNSET, description="Whether the job has a draft.")
    has_schedule: bool | None = strawberry.field(
        default=UNSET, description="Whether the current version has a schedule."
    )
    source_kinds: list[SourceKind] | None = strawberry.field(
        default=UNSET, description="The source of the current version is of one of these kinds."
    )
    latest_run_statuses: list[JobRunStatus | None] | None = strawberry.field(
        default=UNSET,
        description="The latest run has one of these statuses. Null in the list stands for jobs without runs.",
    )
    created_by_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The job was created by one of these members or service accounts."
    )
    updated_by_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description=(
            "One of these members or service accounts made the last change of the job; updates of its draft don't"
            " count."
        ),
    )
    created_since: datetime | None = strawberry.field(
        default=UNSET, description="The job was created at this time or later. A time without an offset is UTC."
    )
    updated_since: datetime | None = strawberry.field(
        default=UNSET,
        description=(
            "The job was changed at this time or later; updates of its draft don't count. A time without an offset is "
            "UTC."
        ),
    )
    ids: list[strawberry.ID] | None = strawberry.field(default=UNSET, description="The job has one of these ids.")
    job_keys: list[str] | None = strawberry.field(
        name="keys", default=UNSET, description="The job has one of these keys."
    )


@with_page_arguments()
def job_list_arguments(
    page: PageArguments,
    *,
    sort_by: Annotated[JobSortField, described("The field to sort by.")] = JobSortField.CREATED_AT,
    filter: Annotated[JobFilter | None, described("Return only the jobs that match this filter.")] = None,
) -> JobListArguments:
    return JobListArguments(page, sort_by, job_conditions(filter))


def job_conditions(wanted: JobFilter | None) -> job_filter.JobFilter:
    values = conditions(wanted)
    for problem in limits.SEARCH.check(values.get("search", ""), ()):
        raise BadInput(f"filter.search: {problem.message}")
    return job_filter.JobFilter(**values)
