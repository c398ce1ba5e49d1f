from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from mainsheet.models import limits
from mainsheet.models.job_run import JobRun as JobRunRow
from mainsheet.models.job_run import JobRunStatus, JobRunTrigger
from mainsheet.resolvers import actor, job, job_run, job_version, saved_query
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments, SortDirection
from mainsheet.schema import names
from mainsheet.schema.conditions import EACH_LIST, conditions
from mainsheet.schema.connection import Connection, described, with_page_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.weight import weight


def _since(what: str) -> Any:
    return strawberry.field(
        default=UNSET, description=f"{what} at this time or later. A time without an offset is UTC."
    )


def _until(what: str) -> Any:
    return strawberry.field(default=UNSET, description=f"{what} before this time. A time without an offset is UTC.")


@strawberry.input(
    description=(
        "Conditions that a run must meet to be listed. They are combined with AND; an omitted or null field is no"
        f" condition. {EACH_LIST}"
    )
)
class JobRunFilter:
    statuses: list[JobRunStatus] | None = strawberry.field(
        default=UNSET, description="The run has one of these statuses."
    )
    job_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The run belongs to one of these jobs."
    )
    cluster_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The run's version runs on one of these clusters."
    )
    since: datetime | None = _since("The run was created")
    until: datetime | None = _until("The run was created")
    scheduled_since: datetime | None = strawberry.field(
        default=UNSET, description="The run was scheduled for this time or later. A time without an offset is UTC."
    )
    scheduled_until: datetime | None = strawberry.field(
        default=UNSET, description="The run was scheduled for a time before this one. A time without an offset is UTC."
    )


@with_page_arguments(SortDirection.DESC)
def run_list_arguments(
    page: PageArguments,
    *,
    filter: Annotated[JobRunFilter | None, described("Return only the runs that match this filter.")] = None,
) -> job_run.JobRunListArguments:
    return job_run.JobRunListArguments(page, job_run.JobRunFilter(**conditions(filter)))


@strawberry.type(description="A parameter of a run.")
class RunParameter:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value.", metadata=weight(characters=limits.ARGUMENT.maximum))


@strawberry.type(description="Why a run failed.")
class RunError:
    code: str | None = strawberry.field(description="The code of the error, for programs. Null if it has none.")
    message: str = strawberry.field(
        description="The message of the error, for people.", metadata=weight(characters=limits.MESSAGE.maximum)
    )


@strawberry.type(description="A saved query as it was when a worker claimed the run. It never changes.")
class ExecutedQuery:
    saved_query = relation(
        saved_query.by_ids,
        names.SavedQuery | None,
        "The saved query as it is now. Null if it was deleted.",
        key="saved_query_id",
    )
    saved_query_id: strawberry.ID = strawberry.field(description="The id of the saved query, also after its deletion.")
    revision: int = strawberry.field(description="The revision of the saved query at that time.")
    name: str = strawberry.field(description="The name of the saved query at that time.")
    sql: str = strawberry.field(
        description="The SQL text that the run executes.", metadata=weight(characters=limits.SQL.maximum)
    )


@strawberry.type(
    description="An execution of a job. Workers, the programs that execute runs, claim it and report on it."
)
class JobRun(Node, prefix=JobRunRow.PREFIX):
    job = relation(
        job.by_ids, names.Job | None, "The job. Null in the payload of `deleteJob`, which deleted it.", key="job_id"
    )
    version = relation(
        job_version.of_runs,
        names.JobVersion | None,
        "The version that the run executes. Null in the payload of `deleteJob`.",
    )
    version_number: int = strawberry.field(description="The number of the version that the run executes.")
    status: JobRunStatus = strawberry.field(description="The status of the run.")
    trigger: JobRunTrigger = strawberry.field(description="What triggered the run.")
    triggered_by = relation(
        actor.by_ids, names.Actor | None, "Who triggered the run. Null for a scheduled run.", key="triggered_by_id"
    )
    attempt: int = strawberry.field(
        description=(
            "How often workers have claimed the run. It is the number of the last claim, which its reports must have."
        )
    )
    message: str | None = strawberry.field(
        description="The `message` of `triggerRun`, or the `skipReason` of `createScheduledRuns`. Null if not set.",
        metadata=weight(characters=limits.MESSAGE.maximum),
    )
    progress_percent: int | None = strawberry.field(
        description="The progress that was last reported, in percent: 0 to 100. Null if not reported."
    )
    log_url: str | None = strawberry.field(description="The address of the log. Null if not reported.")
    created_at: datetime = strawberry.field(description="When the run was created.")
    scheduled_for: datetime | None = strawberry.field(
        description="The time of the schedule for which the run was created. Null for a manual run."
    )
    available_at: datetime | None = strawberry.field(
        description="The time from which a worker can claim the run. Null unless the run is ready."
    )
    lease_expires_at = relation(
        job_run.lease_ends,
        datetime | None,
        "When the worker's lease of the run expires unless it is renewed. Null if no worker has the run.",
    )
    executed_queries = relation(
        job_run.executed_queries,
        list[ExecutedQuery],
        (
            "The saved queries that the last attempt executes, in the order in which they run. Empty until a"
            " worker claims the run, and for a source without saved queries."
        ),
        weight=weight(items=limits.SAVED_QUERIES.maximum),
    )
    started_at: datetime | None = strawberry.field(
        description="When a worker first reported on the run, some time after it claimed the run. Null until then."
    )
    finished_at: datetime | None = strawberry.field(description="When the run finished. Null until then.")
    cancel_requested_at: datetime | None = strawberry.field(
        description="When the cancellation was requested. Null if it wasn't."
    )
    cancel_requested_by = relation(
        actor.by_ids,
        names.Actor | None,
        "Who requested the cancellation. Null if nobody did.",
        key="cancel_requested_by_id",
    )

    @strawberry.field(
        description=(
            "The seconds from `startedAt` to `finishedAt`, with the time between attempts. Null if either is null."
        ),
        metadata=reads("started_at", "finished_at"),
    )
    def duration_seconds(root: strawberry.Parent[JobRunRow]) -> float | None:  # noqa: N805 the row is the parent
        if root.started_at is None or root.finished_at is None:
            return None
        return (root.finished_at - root.started_at).total_seconds()

    @strawberry.field(
        description=(
            "The error of the last attempt that ended, as the worker reported it, or one with the code `LEASE_EXPIRED`"
            " if the worker didn't renew its lease. Null if there is none, or if the run succeeded."
        ),
        metadata=reads("error_code", "error_message"),
    )
    def error(root: strawberry.Parent[JobRunRow]) -> RunError | None:  # noqa: N805 the row is the parent
        return None if root.error_message is None else RunError(code=root.error_code, message=root.error_message)

    @strawberry.field(
        description="The parameters, in the order in which they were given.",
        metadata=reads("parameters") | weight(items=limits.ENTRIES.maximum),
    )
    def parameters(root: strawberry.Parent[JobRunRow]) -> list[RunParameter]:  # noqa: N805 the row is the parent
        return [RunParameter(**each) for each in root.parameters]


@strawberry.type(description="A page of a list of runs.")
class JobRunConnection(Connection[JobRun]): ...
