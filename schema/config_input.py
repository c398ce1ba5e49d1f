"""The inputs of a configuration: complete for a new job, partial for a change of an existing one."""

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.models.job_config import DependencyCondition, ExecutionMode
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

LINE = (
    "1 to 255 characters in one line. Surrounding spaces are removed; control characters and invisible "
    "characters are refused."
)


NAME = f"The name. {LINE}"


@strawberry.input(description="Saved queries to run.")
class SavedQueriesSourceInput:
    query_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of 1 to 50 saved queries, in the order in which they run."
    )


@strawberry.input(description="An SQL text to store in the version.")
class SqlSnapshotSourceInput:
    sql: str = strawberry.field(description="The SQL text, 1 to 8191 characters, not blank. Stored unchanged.")
    origin: str | None = strawberry.field(
        default=UNSET,
        description="Where the SQL text comes from, such as a path in a Git repository. At most 1023 characters.",
    )


@strawberry.input(description="A Python wheel to run.")
class PythonWheelSourceInput:
    package_name: str = strawberry.field(description=f"The name of the package. {LINE}")
    entry_point: str = strawberry.field(description=f"The entry point of the package. {LINE}")
    version: str | None = strawberry.field(
        default=UNSET, description=f"The version of the package. {LINE} Omit for the newest."
    )
    arguments: list[str] = strawberry.field(
        default_factory=list, description="The command-line arguments: at most 100, each of 0 to 8191 characters."
    )


@strawberry.input(description="A Python file to run.")
class PythonFileSourceInput:
    path: str = strawberry.field(description="The path of the file, 1 to 1023 characters in one line, not blank.")
    arguments: list[str] = strawberry.field(
        default_factory=list, description="The command-line arguments: at most 100, each of 0 to 8191 characters."
    )


@strawberry.input(one_of=True, description="What a version runs: exactly one of the fields.")
class JobSourceInput:
    saved_queries: Maybe[SavedQueriesSourceInput] = strawberry.field(description="Saved queries.")
    sql_snapshot: Maybe[SqlSnapshotSourceInput] = strawberry.field(
        description="An SQL text that is stored in the version."
    )
    python_wheel: Maybe[PythonWheelSourceInput] = strawberry.field(description="A Python wheel.")
    python_file: Maybe[PythonFileSourceInput] = strawberry.field(description="A Python file.")


@strawberry.input(
    description=(
        "When a job runs automatically. Schedulers read it and call `createScheduledRuns`; the server"
        " itself creates no runs."
    )
)
class JobScheduleInput:
    cron: str = strawberry.field(
        description=(
            "The cron expression, at most 100 characters; see `JobSchedule.cron` for its syntax. An expression "
            "that never fires is refused."
        )
    )
    timezone: str = strawberry.field(
        default="UTC", description="The name of a time zone in the IANA time zone database, such as `Europe/Berlin`."
    )
    concurrency_policy: ConcurrencyPolicy = strawberry.field(
        default=ConcurrencyPolicy.SKIP,
        description="What happens when the schedule fires while a run is still active.",
    )
    max_concurrent_runs: int | None = strawberry.field(
        default=UNSET,
        description=(
            "The maximum number of concurrent runs, from 1. Required with the concurrency policy ALLOW; not"
            " allowed otherwise."
        ),
    )
    missed_schedule_policy: MissedSchedulePolicy = strawberry.field(
        default=MissedSchedulePolicy.SKIP,
        description="What happens to fire times that passed while the job couldn't run.",
    )


@strawberry.input(
    description=(
        "A dependency: another job that must finish before this job runs. Schedulers enforce it; the"
        " server only stores it."
    )
)
class JobDependencyInput:
    job_id: strawberry.ID = strawberry.field(description="The other job.")
    condition: DependencyCondition = strawberry.field(
        default=DependencyCondition.ON_SUCCESS, description="How a run of the other job must end."
    )


@strawberry.input(description="The compute resources of a version.")
class ComputeInput:
    execution_mode: ExecutionMode = strawberry.field(
        default=ExecutionMode.STANDALONE, description="How a run uses the cluster."
    )
    driver_instance_type: str | None = strawberry.field(
        default=UNSET,
        description="The instance type of the driver, 1 to 255 characters. Omit for the cluster's default.",
    )
    executor_instance_type: str | None = strawberry.field(
        default=UNSET,
        description=(
            "The instance type of the executors, 1 to 255 characters. Only allowed in the execution mode"
            " CLUSTER. Omit for the cluster's default."
        ),
    )
    executor_count: int | None = strawberry.field(
        default=UNSET,
        description=(
            "The number of executors, from 0. Only allowed in the execution mode CLUSTER. Omit for the"
            " cluster's default."
        ),
    )


@strawberry.input(
    description="An environment variable of a run. Exactly one of `value` and `secretReference` must be set."
)
class EnvironmentVariableInput:
    name: str = strawberry.field(
        description=(
            "The name of the variable, unique within the version: 1 to 255 letters A to Z, digits and "
            "underscores, not starting with a digit."
        )
    )
    value: str | None = strawberry.field(
        default=UNSET, description="The value of the variable, at most 8191 characters. Stored unchanged."
    )
    secret_reference: str | None = strawberry.field(
        default=UNSET,
        description=(
            "The path of a secret in the organization's secret store, 1 to 1023 characters in one line. The"
            " server doesn't check that it exists. Never send the secret itself: everyone who can see the job"
            " can read the path."
        ),
    )


@strawberry.input(description="The complete configuration of a version.")
class JobConfigInput:
    cluster_id: strawberry.ID = strawberry.field(description="The cluster. It must be active.")
    source: JobSourceInput = strawberry.field(description="What the job runs.")
    schedule: Maybe[JobScheduleInput | None] = strawberry.field(
        description="The schedule. Omit or null for manual runs only."
    )
    dependencies: list[JobDependencyInput] = strawberry.field(
        default_factory=list, description="The dependencies, at most 100."
    )
    compute: Maybe[ComputeInput | None] = strawberry.field(
        description="The compute resources. Omit or null for the defaults."
    )
    environment: list[EnvironmentVariableInput] = strawberry.field(
        default_factory=list, description="The environment variables, at most 100."
    )
    max_retries: int = strawberry.field(default=0, description="How often a failed run is retried, 0 to 10.")
    retry_delay_seconds: int = strawberry.field(default=0, description="The delay before a retry in seconds, from 0.")
    timeout_seconds: Maybe[int | None] = strawberry.field(
        description=(
            "The maximum duration of a run in seconds, from 1. Workers enforce it; the server only stores it."
            " Omit or null for no limit."
        )
    )


@strawberry.input(
    description=(
        "Changes to a configuration. An omitted field keeps its value. Lists and nested objects are replaced "
        "as a whole, except for dependencies."
    )
)
class JobConfigChangesInput:
    cluster_id: Maybe[strawberry.ID | None] = strawberry.field(
        description="The cluster. It must be active, except for a draft. Null isn't allowed. Omit to keep the value."
    )
    source: Maybe[JobSourceInput | None] = strawberry.field(
        description="What the job runs. Null isn't allowed. Omit to keep the value."
    )
    schedule: Maybe[JobScheduleInput | None] = strawberry.field(
        description="The schedule. Null for manual runs only. Omit to keep the value."
    )
    dependencies: Maybe[list[JobDependencyInput] | None] = strawberry.field(
        description=(
            "The dependencies on jobs that you can see, at most 100 together with the others. Dependencies on jobs that"
            " you can't see or that were deleted stay; `removeDependencyIds` removes them. Null for none. Omit to keep"
            " the value."
        )
    )
    remove_dependency_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description=(
            "The ids of dependencies to remove, at most 100, before `dependencies` is applied. They are those of the"
            " version that is changed or copied: the draft for `updateDraft`, the version in `fromVersion` for"
            " `createDraft`, otherwise the current version. Null removes none. Omit to keep the value."
        ),
    )
    compute: Maybe[ComputeInput | None] = strawberry.field(
        description="The compute resources. Null for the defaults. Omit to keep the value."
    )
    environment: Maybe[list[EnvironmentVariableInput] | None] = strawberry.field(
        description="The environment variables, at most 100. Null for none. Omit to keep the value."
    )
    max_retries: Maybe[int | None] = strawberry.field(
        description="How often a failed run is retried, 0 to 10. Null isn't allowed. Omit to keep the value."
    )
    retry_delay_seconds: Maybe[int | None] = strawberry.field(
        description="The delay before a retry in seconds, from 0. Null isn't allowed. Omit to keep the value."
    )
    timeout_seconds: Maybe[int | None] = strawberry.field(
        description=(
            "The maximum duration of a run in seconds, from 1. Workers enforce it; the server only stores it."
            " Null for no limit. Omit to keep the value."
        )
    )
