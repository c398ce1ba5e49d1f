"""What every list of jobs can be asked."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from mainsheet.models import limits
from mainsheet.models.errors import BadInput
from mainsheet.models.job import JobStatus
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job_list.lists import JobListArguments, JobSortField
from mainsheet.resolvers.sql.pagination.listing import Paging, SortDirection
from mainsheet.schema.moment import utc
from mainsheet.schema.page import described, paged
from mainsheet.schema.plain import plain


@strawberry.input(description="What a job must be to be listed. What is omitted or null isn't asked.")
class JobFilter:
    search: str | None = strawberry.field(
        default=UNSET,
        description="Text found in key, name or description; at most 255 characters. Case, Unicode's normal forms and"
        " spaces at its ends make no difference. A blank text asks nothing.",
    )
    status: list[JobStatus] | None = strawberry.field(default=UNSET, description="Has one of these statuses.")
    teams: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Is shared with one of these teams."
    )
    clusters: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Its current version runs on one of these clusters."
    )
    has_draft: bool | None = strawberry.field(default=UNSET, description="Has a draft, or has none.")
    has_schedule: bool | None = strawberry.field(
        default=UNSET, description="Its current version has a schedule, or has none."
    )
    created_by: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Was created by one of these members."
    )
    updated_since: datetime | None = strawberry.field(
        default=UNSET, description="Changed at this moment or later. Without an offset it is taken as UTC."
    )


@paged
def job_list(
    paging: Paging,
    *,
    sort_by: Annotated[JobSortField | None, described("What to sort by.")] = JobSortField.CREATED_AT,
    sort_direction: Annotated[SortDirection | None, described("Which end comes first.")] = SortDirection.ASC,
    filter: Annotated[JobFilter | None, described("What a job must be to be listed.")] = None,
) -> JobListArguments:
    return JobListArguments(
        paging, sort_by or JobSortField.CREATED_AT, sort_direction is SortDirection.DESC, _conditions(filter)
    )


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
