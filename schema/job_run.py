from datetime import datetime
from typing import Annotated

import strawberry

from mainsheet.models.job_run import JobRun as JobRunRow
from mainsheet.models.job_run import JobRunStatus, JobRunTrigger
from mainsheet.resolvers import job, job_version
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments, SortDirection
from mainsheet.schema import names
from mainsheet.schema.connection import Connection, described, with_page_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import relation


@with_page_arguments(SortDirection.DESC)
def run_list_arguments(
    page: PageArguments,
    *,
    statuses: Annotated[
        list[JobRunStatus] | None, described("Return only the runs with one of these statuses. Defaults to all.")
    ] = None,
) -> tuple[PageArguments, tuple[JobRunStatus, ...] | None]:
    return page, None if statuses is None else tuple(statuses)


@strawberry.type(description="An execution of a job.")
class JobRun(Node, prefix=JobRunRow.PREFIX):
    job = relation(job.by_ids, names.Job | None, "The job. Null in the payload of `deleteJob`.", key="job_id")
    version = relation(
        job_version.of_runs,
        names.JobVersion | None,
        ("The version that the run executes. Null in the payload of `deleteJob`."),
    )
    version_number: int = strawberry.field(description="The number of the version that the run executes.")
    status: JobRunStatus = strawberry.field(description="Where it is in its life.")
    trigger: JobRunTrigger = strawberry.field(description="What triggered the run.")
    created_at: datetime = strawberry.field(description="When the run was created.")
    started_at: datetime | None = strawberry.field(description="When the run started. Null until then.")
    finished_at: datetime | None = strawberry.field(description="When the run finished. Null until then.")


@strawberry.type(description="A page of a list of runs.")
class JobRunConnection(Connection[JobRun]): ...
