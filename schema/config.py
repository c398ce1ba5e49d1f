"""The parts of a version's configuration. A version's row holds them all, so each part is that same row."""

from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from models import limits, schedule
from models.errors import BadInput
from models.job_config import DependencyCondition, ExecutionMode
from models.schedule import ConcurrencyPolicy, MissedSchedulePolicy
from resolvers import job
from schema import names
from schema.moment import utc
from schema.page import described
from schema.relation import reads, relation
from schema.weight import weight

DEFAULT_COUNT = 5
FIRE_TIME = 100  # to find one takes as long as so many fields, a leap day longer


@strawberry.type(description="When a job runs by itself.")
class JobSchedule:
    cron: str = strawberry.field(description="Five fields: minute, hour, day of month, month, day of week.")
    timezone: str = strawberry.field(description="The IANA time zone in which the cron expression is read.")
    concurrency_policy: ConcurrencyPolicy = strawberry.field(description="What happens when runs would overlap.")
    max_concurrent_runs: int | None = strawberry.field(
        description="How many runs may overlap. Null unless the policy is `ALLOW`."
    )
    missed_schedule_policy: MissedSchedulePolicy = strawberry.field(description="What happens to missed times.")

    @strawberry.field(description="The cron expression in English.", metadata=reads("cron"))
    def description(root: strawberry.Parent[Any]) -> str:  # noqa: N805 the row is the parent
        return schedule.explain(root.cron)

    @strawberry.field(
        description="The next times at which it fires; for a draft, those it would have.",
        metadata=reads("cron", "timezone") | {"weight": FIRE_TIME},
    )
    def next_fire_times(
        root: strawberry.Parent[Any],  # noqa: N805
        count: Annotated[int | None, described("How many, 0 to 100.")] = DEFAULT_COUNT,
        after: Annotated[
            datetime | None, described("After which moment, of the years 2000 to 2999. Default: now.")
        ] = UNSET,
    ) -> list[datetime]:
        count = DEFAULT_COUNT if count is None else count
        if any(limits.FIRE_TIMES.check(count, ())):
            raise BadInput(f"count: {count} is out of range, 0 to {limits.FIRE_TIMES.maximum}.")
        moment = utc(after, "after") if after else datetime.now(UTC)
        if moment.year not in limits.FIRE_YEARS:
            raise BadInput(f"after: {moment.year} is out of range, {limits.FIRE_YEARS[0]} to {limits.FIRE_YEARS[-1]}.")
        return schedule.fire_times(root.cron, root.timezone, moment, count)


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
