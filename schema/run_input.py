"""The inputs of mutations of runs."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from mainsheet.models.job_run import RunReportState
from mainsheet.schema.inputs import idempotency_key, message


@strawberry.input(description="A parameter of a run.")
class RunParameterInput:
    name: str = strawberry.field(description="The name, unique within the run: 1 to 255 characters in one line.")
    value: str = strawberry.field(description="The value, at most 8191 characters. Stored unchanged.")


@strawberry.input(description="The run to create.")
class TriggerRunInput:
    job_id: strawberry.ID = strawberry.field(description="The job.")
    version_number: int | None = strawberry.field(
        default=UNSET, description="The number of the published version to run. Omit to run the current version."
    )
    parameters: list[RunParameterInput] = strawberry.field(
        default_factory=list, description="The parameters of the run, at most 100."
    )
    message: str | None = message("run", "kept with it and in the event")
    hold: bool = strawberry.field(
        default=False,
        description=(
            "Create the run with the status PENDING. No worker can claim it until `releaseRun` makes it ready."
        ),
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The run to release.")
class ReleaseRunInput:
    run_id: strawberry.ID = strawberry.field(description="The run.")
    message: str | None = message("release")


@strawberry.input(description="The run to cancel.")
class CancelRunInput:
    run_id: strawberry.ID = strawberry.field(description="The run.")
    message: str | None = message("cancellation")


@strawberry.input(description="The run to delete.")
class DeleteRunInput:
    run_id: strawberry.ID = strawberry.field(description="The run.")
    message: str | None = message("deletion")


LEASE = "The length of the lease in seconds, 5 to 3600."


@strawberry.input(description="The runs to claim.")
class ClaimRunsInput:
    cluster_ids: list[strawberry.ID] = strawberry.field(
        description="The clusters on which the worker executes runs, at most 100. An empty list claims nothing."
    )
    limit: int = strawberry.field(default=10, description="The largest number of runs to claim, 1 to 100.")
    lease_seconds: int = strawberry.field(default=60, description=LEASE)
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description=(
            "A text of 1 to 255 characters, not blank, that makes a retry safe. Within 24 hours, the same key"
            " with the same input claims no further runs, and returns those of the first claims whose leases"
            " still last. With another input it is refused."
        ),
    )


@strawberry.input(description="Why a run failed.")
class RunErrorInput:
    code: str | None = strawberry.field(
        default=UNSET, description="A code for programs, 1 to 255 characters in one line."
    )
    message: str = strawberry.field(description="A message for people, at most 1023 characters.")
    is_retryable: bool = strawberry.field(
        default=True, description="Whether another attempt may succeed. If false, the run isn't retried."
    )


@strawberry.input(description="What a worker reports about a run that it has claimed.")
class RunReportInput:
    run_id: strawberry.ID = strawberry.field(description="The run.")
    attempt: int = strawberry.field(
        description="The number of the claim, from `ClaimedRun.attempt`. A report with an older one is refused."
    )
    state: RunReportState = strawberry.field(description="Whether the run is executing, or how it ended.")
    error: RunErrorInput | None = strawberry.field(
        default=UNSET, description="Why the run failed. Ignored with the state RUNNING or SUCCEEDED."
    )
    log_url: str | None = strawberry.field(
        default=UNSET, description="The address of the log, 1 to 1023 characters in one line. Omit to keep the value."
    )
    progress_percent: int | None = strawberry.field(
        default=UNSET, description="The progress, 0 to 100. Omit to keep the value."
    )
    lease_seconds: int = strawberry.field(
        default=60,
        description="The length of the renewed lease in seconds, 5 to 3600. Only used with the state RUNNING.",
    )


@strawberry.input(description="The reports of a worker.")
class ReportRunsInput:
    reports: list[RunReportInput] = strawberry.field(
        description="The reports, 1 to 100. Each is accepted or refused in a transaction of its own."
    )


@strawberry.input(description="A run for a time of the schedule.")
class ScheduledRunInput:
    job_id: strawberry.ID = strawberry.field(description="The job.")
    scheduled_for: datetime = strawberry.field(
        description=(
            "The time of the schedule, which isn't compared with the job's schedule. No worker can claim the"
            " run before it. A time without an offset is UTC."
        )
    )
    hold: bool = strawberry.field(
        default=False,
        description=(
            "Create the run with the status PENDING. No worker can claim it until `releaseRun` makes it ready."
        ),
    )
    skip_reason: str | None = strawberry.field(
        default=UNSET, description="Create the run with the status SKIPPED, for this reason. At most 1023 characters."
    )


@strawberry.input(description="The scheduled runs to create.")
class CreateScheduledRunsInput:
    runs: list[ScheduledRunInput] = strawberry.field(
        description=(
            "The runs, 1 to 100. Each is created in a transaction of its own, with the job's current version."
            " For the same job and time, the run that exists is returned."
        )
    )
