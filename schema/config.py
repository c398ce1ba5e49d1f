"""The parts of a version's configuration. A version's row holds them all, so each part is that same row."""

from datetime import datetime
from typing import Annotated

import strawberry

from mainsheet.models import limits
from mainsheet.models.job_config import DependencyCondition, ExecutionMode
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy
from mainsheet.resolvers import job, schedule
from mainsheet.resolvers.schedule import Preview
from mainsheet.schema import names
from mainsheet.schema.moment import utc
from mainsheet.schema.page import described
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight

DEFAULT_COUNT = 5
FIRE_TIME = 100  # finding one takes about as long as so many fields
CRON = (
    "Five fields: minute, hour, day of month, month, day of week. The syntax is that of Debian's crontab(5) with"
    " `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually`, and also `L` (last day) and"
    " `LW` (last weekday) in the day of month, `5L` (last Friday) and `MON#2` (second Monday) in the day of week."
)
FIRE_TIMES = (
    "A preview of the next times at which the schedule fires, in ascending order, from the next 100 years; for a draft,"
    " at which it would. A paused job doesn't fire. If daylight saving skips the time of a schedule whose minute and"
    " hour both don't begin with `*`, it fires right after the gap; if it repeats the time, it fires once. Other"
    " schedules follow the clock. Empty if an earlier release stored an expression or a time zone that isn't supported"
    " any more."
)


def preview(
    count: Annotated[int | None, described("How many, 0 to 100.")] = DEFAULT_COUNT,
    after: Annotated[
        datetime | None, described("Only times after this one, of the years 2000 to 2999. Default: now.")
    ] = None,
) -> Preview:
    count = DEFAULT_COUNT if count is None else count
    limits.FIRE_TIMES.argument("count", count)
    moment = utc(after, "after") if after else None
    if moment:
        limits.FIRE_YEARS.argument("after", moment.year)
    return Preview(count, moment)


@strawberry.type(description="When a job runs by itself.")
class JobSchedule:
    cron: str = strawberry.field(description=CRON)
    timezone: str = strawberry.field(description="The IANA time zone in which the cron expression is read.")
    description = relation(
        schedule.descriptions,
        str,
        "The times of the cron expression, in English: what fires, not how it is written.",
        key="cron",
    )
    concurrency_policy: ConcurrencyPolicy = strawberry.field(description="What happens when runs would overlap.")
    max_concurrent_runs: int | None = strawberry.field(
        description="How many runs may overlap. Null unless the policy is `ALLOW`."
    )
    missed_schedule_policy: MissedSchedulePolicy = strawberry.field(description="What happens to missed times.")
    next_fire_times = relation(
        schedule.fire_times, list[datetime], FIRE_TIMES, key="itself", arguments=preview, weight=weight(work=FIRE_TIME)
    )


@strawberry.type(description="What a version runs on.")
class Compute:
    execution_mode: ExecutionMode = strawberry.field(description="How a run uses its cluster.")
    driver_instance_type: str | None = strawberry.field(
        description="The driver's machine. Null: the cluster's default."
    )
    executor_instance_type: str | None = strawberry.field(
        description="The executors' machines. Null: the cluster's default."
    )
    executor_count: int | None = strawberry.field(description="How many executors. Null: the cluster's default.")


@strawberry.type(description="A variable in a run's environment.")
class EnvironmentVariable:
    name: str = strawberry.field(description="Its name, unique in the version.")
    value: str = strawberry.field(description="Its value.", metadata=weight(characters=limits.ARGUMENT.maximum))


@strawberry.type(description="A job that must end before this one runs.")
class JobDependency:
    job = relation(
        job.by_ids, names.Job | None, "The other job. Null if you can't see it or it was deleted.", key="depends_on_id"
    )
    condition: DependencyCondition = strawberry.field(description="How the other job's run must end.")
