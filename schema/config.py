"""The parts of a version's configuration. The version's row holds them all, so the row stands for each part."""

from datetime import datetime
from typing import Annotated

import strawberry

from mainsheet.models import limits
from mainsheet.models.job_config import DependencyCondition, ExecutionMode
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy
from mainsheet.resolvers import job, schedule
from mainsheet.resolvers.schedule import Preview
from mainsheet.schema import names
from mainsheet.schema.connection import described
from mainsheet.schema.moment import utc
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight

DEFAULT_COUNT = 5
FIRE_TIME = 100  # computing one takes as long as about 100 fields
CRON = (
    "Five fields: minute, hour, day of month, month, day of week. The syntax is that of Debian's crontab(5) with"
    " `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually`, and also `L` (last day) and"
    " `LW` (last weekday) in the day of month, `5L` (last Friday) and `MON#2` (second Monday) in the day of week."
)
FIRE_TIMES = (
    "A preview of the next fire times, in ascending order and in the schedule's time zone, at most"
    " 100 years ahead. The schedule of a draft or of a paused job doesn't fire. Daylight saving: if"
    " neither the minute nor the hour begins with `*`, a skipped time fires right after the gap, and"
    " a repeated time fires once; other schedules follow the wall clock. Empty if an earlier release"
    " stored an expression or a time zone that is no longer supported."
)


def preview(
    count: Annotated[int, described("The number of fire times, 0 to 100.")] = DEFAULT_COUNT,
    after: Annotated[
        datetime | None,
        described(
            "Return only fire times after this time, which must be in the years 2000 to 2999. Defaults to"
            " now. A time without an offset is UTC."
        ),
    ] = None,
) -> Preview:
    limits.FIRE_TIMES.argument("count", count)
    moment = utc(after, "after") if after else None
    if moment:
        limits.FIRE_YEARS.argument("after", moment.year)
    return Preview(count, moment)


@strawberry.type(
    description=(
        "When a job runs automatically. Schedulers read it and call `createScheduledRuns`; the server"
        " itself creates no runs."
    )
)
class JobSchedule:
    cron: str = strawberry.field(description=CRON)
    timezone: str = strawberry.field(description="The IANA time zone of the cron expression.")
    description = relation(
        schedule.descriptions,
        str,
        (
            "The times at which the cron expression fires, in English. Expressions that fire at the same times "
            "have the same description."
        ),
        key="cron",
    )
    concurrency_policy: ConcurrencyPolicy = strawberry.field(
        description="What happens when the schedule fires while a run is still active."
    )
    max_concurrent_runs: int | None = strawberry.field(
        description="The maximum number of concurrent runs. Null unless the concurrency policy is ALLOW."
    )
    missed_schedule_policy: MissedSchedulePolicy = strawberry.field(
        description="What happens to fire times that passed while the job couldn't run."
    )
    next_fire_times = relation(
        schedule.fire_times, list[datetime], FIRE_TIMES, key="itself", arguments=preview, weight=weight(work=FIRE_TIME)
    )


@strawberry.type(description="The compute resources of a version.")
class Compute:
    execution_mode: ExecutionMode = strawberry.field(description="How a run uses the cluster.")
    driver_instance_type: str | None = strawberry.field(
        description="The instance type of the driver. Null for the cluster's default."
    )
    executor_instance_type: str | None = strawberry.field(
        description="The instance type of the executors. Null for the cluster's default."
    )
    executor_count: int | None = strawberry.field(
        description="The number of executors. Null for the cluster's default."
    )


@strawberry.type(
    description="An environment variable of a run. It has either a value or a reference to a secret, never both."
)
class EnvironmentVariable:
    name: str = strawberry.field(description="The name of the variable, unique within the version.")
    value: str | None = strawberry.field(
        default=None,
        description="The value of the variable. Null if the variable refers to a secret.",
        metadata=weight(characters=limits.ARGUMENT.maximum),
    )
    secret_reference: str | None = strawberry.field(
        default=None,
        description=(
            "The path of a secret in the organization's secret store, which the worker reads when the job"
            " runs. Null if the variable has a value. The secret itself is never stored here."
        ),
        metadata=weight(characters=limits.LOCATION.maximum),
    )


@strawberry.type(
    description=(
        "A dependency: another job that must finish before this job runs. Schedulers enforce it; the"
        " server only stores it."
    )
)
class JobDependency:
    id: strawberry.ID = strawberry.field(
        description=(
            "The id of the dependency in this version, for `removeDependencyIds`. A copy in another version has"
            " another id."
        )
    )
    job = relation(
        job.by_ids,
        names.Job | None,
        "The other job. Null if you can't see it, or if it was deleted.",
        key="depends_on_id",
    )
    job_key: str | None = strawberry.field(
        description=(
            "The key of the other job, also after its deletion. Null if you can't see the job or, for a deleted job, if"
            " none of your teams had access to it. Null for a job that was deleted before release 0.2.0."
        )
    )
    is_deleted: bool = strawberry.field(
        description="Whether the other job was deleted. A version that depends on a deleted job can't be published."
    )
    condition: DependencyCondition = strawberry.field(description="How a run of the other job must end.")
