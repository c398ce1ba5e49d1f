"""The filter and the arguments of every list of jobs."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from mainsheet.models import limits
from mainsheet.models.errors import BadInput
from mainsheet.models.job import JobStatus
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job_list import JobListArguments, JobSortField
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.schema.connection import described, with_page_arguments
from mainsheet.schema.moment import utc
from mainsheet.schema.plain import plain


@strawberry.input(
    description=(
        "Conditions that a job must meet to be listed. They are combined with AND; an omitted or null field "
        "is no condition. An empty list matches nothing."
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
    status: list[JobStatus] | None = strawberry.field(default=UNSET, description=("The job has one of these statuses."))
    teams: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="One of these teams has access to the job."
    )
    clusters: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The current version runs on one of these clusters."
    )
    has_draft: bool | None = strawberry.field(default=UNSET, description="Whether the job has a draft.")
    has_schedule: bool | None = strawberry.field(
        default=UNSET, description="Whether the current version has a schedule."
    )
    created_by: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The job was created by one of these members."
    )
    updated_since: datetime | None = strawberry.field(
        default=UNSET,
        description=(
            "The job was changed at this time or later; updates of its draft don't count. A time without an offset is "
            "UTC."
        ),
    )


@with_page_arguments()
def job_list_arguments(
    page: PageArguments,
    *,
    sort_by: Annotated[JobSortField, described("The field to sort by.")] = JobSortField.CREATED_AT,
    filter: Annotated[JobFilter | None, described("Return only the jobs that match this filter.")] = None,
) -> JobListArguments:
    return JobListArguments(page, sort_by, _conditions(filter))


def _conditions(wanted: JobFilter | None) -> job_filter.JobFilter:
    if wanted is None:
        return job_filter.JobFilter()
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain(wanted).items()
    }
    for problem in limits.SEARCH.check(values.get("search", ""), ()):
        raise BadInput(f"filter.search: {problem.message}")
    if "updated_since" in values:
        values["updated_since"] = utc(values["updated_since"], "filter.updatedSince")
    return job_filter.JobFilter(**values)
