"""The payloads of mutations of runs."""

from datetime import datetime
from typing import Any

import strawberry

from mainsheet.resolvers import job_run
from mainsheet.schema import names
from mainsheet.schema.payloads import BatchPayload, Key, Payload
from mainsheet.schema.relation import relation
from mainsheet.schema.user_error import UserError
from mainsheet.schema.weight import BATCH


def _run() -> Any:
    return relation(
        job_run.by_ids,
        names.JobRun | None,
        "The run in its present state. Null if it doesn't exist or you can't see it.",
        key="run_id",
    )


def _item_errors() -> Any:
    return strawberry.field(
        description="The reasons why the item was refused. If the list isn't empty, nothing was changed for it."
    )


@strawberry.type
class RunPayload(Payload):
    job_id: Key = None
    run_id: Key = None
    run = _run()


@strawberry.type
class DeletedRunPayload(Payload):
    job_id: Key = None
    deleted_run_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the deleted run. Null if the mutation was refused."
    )


@strawberry.type(description="A run that a worker has claimed.")
class ClaimedRun:
    run = relation(job_run.by_ids, names.JobRun, "The run.", key="run_id")
    attempt: int = strawberry.field(description="The number of the claim, to send with each report.")
    lease_expires_at: datetime = strawberry.field(
        description=(
            "When the lease expires. Report RUNNING before then to renew it, at best after a third of the time."
        )
    )


@strawberry.type
class ClaimedRunsPayload(Payload):
    claims: strawberry.Private[list[Any] | None] = None

    @property
    def claimed(self) -> tuple[tuple[str, int], ...]:
        """The ids and attempts, as a key."""
        return tuple((run_id, attempt) for run_id, attempt in self.claims or ())

    runs = relation(
        job_run.claimed,
        list[ClaimedRun],
        "The claimed runs whose leases last, in the order in which to execute them.",
        key="claimed",
        weight=BATCH,
    )


@strawberry.type(description="The result of one report.")
class RunReportResult:
    job_id: Key = None
    run_id: Key = None
    run = _run()
    cancel_requested: bool = strawberry.field(
        default=False, description="Whether the worker should stop the run and then report CANCELLED."
    )
    lease_expires_at: datetime | None = strawberry.field(
        default=None, description="When the renewed lease expires. Null if the run has ended for this worker."
    )
    user_errors: list[UserError] = _item_errors()


@strawberry.type
class ReportedRunsPayload(BatchPayload):
    results: list[RunReportResult] = strawberry.field(
        default_factory=list, description="The results, in the order of the reports.", metadata=BATCH
    )


@strawberry.type(description="The result of one scheduled run.")
class ScheduledRunResult:
    job_id: Key = None
    run_id: Key = None
    run = _run()
    is_new: bool = strawberry.field(
        default=False,
        description="Whether this mutation created the run. False if it existed already, or if the item was refused.",
    )
    user_errors: list[UserError] = _item_errors()


@strawberry.type
class ScheduledRunsPayload(BatchPayload):
    results: list[ScheduledRunResult] = strawberry.field(
        default_factory=list, description="The results, in the order of the items.", metadata=BATCH
    )
