"""A configuration as input: whole for a new job, in part for a change of an existing one."""

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.models.job_config import DependencyCondition, ExecutionMode
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy

LINE = "1 to 255 characters in one line. Spaces at its ends are removed; control and invisible characters are refused."


@strawberry.input(description="Saved queries to run.")
class SavedQueriesSourceInput:
    query_ids: list[strawberry.ID] = strawberry.field(description="1 to 50 queries, in order.")


@strawberry.input(description="SQL to keep in the version.")
class SqlSnapshotSourceInput:
    sql: str = strawberry.field(description="1 to 8191 characters, not blank. Kept as it is sent.")
    origin: str | None = strawberry.field(
        default=UNSET, description="Where it came from, as a path in Git; at most 1023 characters."
    )


@strawberry.input(description="A Python wheel to run.")
class PythonWheelSourceInput:
    package_name: str = strawberry.field(description=LINE)
    entry_point: str = strawberry.field(description=LINE)
    version: str | None = strawberry.field(default=UNSET, description=f"{LINE} Omit for the newest.")
    arguments: list[str] | None = strawberry.field(
        default_factory=list, description="At most 100, each 0 to 8191 characters."
    )


@strawberry.input(description="A Python file to run.")
class PythonFileSourceInput:
    path: str = strawberry.field(description="1 to 1023 characters in one line, not blank.")
    arguments: list[str] | None = strawberry.field(
        default_factory=list, description="At most 100, each 0 to 8191 characters."
    )


@strawberry.input(one_of=True, description="What a version runs: exactly one of these.")
class JobSourceInput:
    saved_queries: Maybe[SavedQueriesSourceInput] = strawberry.field(description="Saved queries.")
    sql_snapshot: Maybe[SqlSnapshotSourceInput] = strawberry.field(description="SQL kept in the version.")
    python_wheel: Maybe[PythonWheelSourceInput] = strawberry.field(description="A Python wheel.")
    python_file: Maybe[PythonFileSourceInput] = strawberry.field(description="A Python file.")


@strawberry.input(description="When a job runs by itself.")
class JobScheduleInput:
    cron: str = strawberry.field(
        description="Five fields, at most 100 characters: see `JobSchedule.cron`. Must fire at some time."
    )
    timezone: str | None = strawberry.field(default="UTC", description="A name of the IANA time zone database.")
    concurrency_policy: ConcurrencyPolicy | None = strawberry.field(
        default=ConcurrencyPolicy.SKIP, description="What happens when runs would overlap."
    )
    max_concurrent_runs: int | None = strawberry.field(
        default=UNSET, description="How many runs may overlap, from 1. Needed with `ALLOW`, and only there."
    )
    missed_schedule_policy: MissedSchedulePolicy | None = strawberry.field(
        default=MissedSchedulePolicy.SKIP, description="What happens to missed times."
    )


@strawberry.input(description="A job that must end before this one runs.")
class JobDependencyInput:
    job_id: strawberry.ID = strawberry.field(description="The other job.")
    condition: DependencyCondition | None = strawberry.field(
        default=DependencyCondition.ON_SUCCESS, description="How the other job's run must end."
    )


@strawberry.input(description="What a version runs on.")
class ComputeInput:
    execution_mode: ExecutionMode | None = strawberry.field(
        default=ExecutionMode.STANDALONE, description="How a run uses its cluster."
    )
    driver_instance_type: str | None = strawberry.field(
        default=UNSET, description="The driver's machine, 1 to 255 characters. Omit for the cluster's default."
    )
    executor_instance_type: str | None = strawberry.field(
        default=UNSET,
        description="The executors' machines, 1 to 255 characters; with the mode `CLUSTER` only. Omit for the cluster's"
        " default.",
    )
    executor_count: int | None = strawberry.field(
        default=UNSET,
        description="How many executors, from 0; with the mode `CLUSTER` only. Omit for the cluster's default.",
    )


@strawberry.input(description="A variable in a run's environment.")
class EnvironmentVariableInput:
    name: str = strawberry.field(
        description="1 to 255 letters A to Z, digits and underscores, without a digit at the beginning; unique in the"
        " version."
    )
    value: str = strawberry.field(description="At most 8191 characters. Kept as it is sent.")


@strawberry.input(description="A whole configuration.")
class JobConfigInput:
    cluster_id: strawberry.ID = strawberry.field(description="Where it runs. The cluster must be active.")
    source: JobSourceInput = strawberry.field(description="What it runs.")
    schedule: Maybe[JobScheduleInput | None] = strawberry.field(
        description="When it runs by itself. Omit or null: only by hand."
    )
    dependencies: Maybe[list[JobDependencyInput] | None] = strawberry.field(
        description="The jobs it waits for, at most 100. Omit or null: none."
    )
    compute: Maybe[ComputeInput | None] = strawberry.field(description="What it runs on. Omit or null: the defaults.")
    environment: Maybe[list[EnvironmentVariableInput] | None] = strawberry.field(
        description="Its variables, at most 100. Omit or null: none."
    )
    max_retries: Maybe[int | None] = strawberry.field(
        description="How often a failed run is tried again, 0 to 10. Omit for 0; null is refused."
    )
    retry_delay_seconds: Maybe[int | None] = strawberry.field(
        description="The pause before another try. Omit for 0; null is refused."
    )
    timeout_seconds: Maybe[int | None] = strawberry.field(
        description="How long a run may take, from 1. Omit or null: no limit."
    )


@strawberry.input(description="Changes of a configuration. Lists and nested objects are replaced whole.")
class JobConfigChangesInput:
    cluster_id: Maybe[strawberry.ID | None] = strawberry.field(
        description="Where it runs. Null is refused. Omit to keep."
    )
    source: Maybe[JobSourceInput | None] = strawberry.field(description="What it runs. Null is refused. Omit to keep.")
    schedule: Maybe[JobScheduleInput | None] = strawberry.field(
        description="When it runs by itself. Null: only by hand. Omit to keep."
    )
    dependencies: Maybe[list[JobDependencyInput] | None] = strawberry.field(
        description="The jobs it waits for, at most 100. Null: none. Omit to keep."
    )
    compute: Maybe[ComputeInput | None] = strawberry.field(
        description="What it runs on. Null: the defaults. Omit to keep."
    )
    environment: Maybe[list[EnvironmentVariableInput] | None] = strawberry.field(
        description="Its variables, at most 100. Null: none. Omit to keep."
    )
    max_retries: Maybe[int | None] = strawberry.field(
        description="How often a failed run is tried again, 0 to 10. Null is refused. Omit to keep."
    )
    retry_delay_seconds: Maybe[int | None] = strawberry.field(
        description="The pause before another try. Null is refused. Omit to keep."
    )
    timeout_seconds: Maybe[int | None] = strawberry.field(
        description="How long a run may take, from 1. Null: no limit. Omit to keep."
    )
