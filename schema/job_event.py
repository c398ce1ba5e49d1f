from datetime import datetime

import strawberry

from mainsheet.models import limits
from mainsheet.models.job_event import JobAction
from mainsheet.models.job_event import JobEvent as JobEventRow
from mainsheet.resolvers import config_diff, job, member
from mainsheet.schema import names
from mainsheet.schema.config_change import CHANGES, ConfigChange
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight


@strawberry.type(description="One line of a job's history.")
class JobEvent(Node, prefix=JobEventRow.PREFIX):
    action: JobAction = strawberry.field(description="What happened.")
    job = relation(job.by_ids, names.Job | None, "The job. Null if it was deleted.", key="job_id")
    job_key: str = strawberry.field(description="The job's key, which outlives the job.")
    actor = relation(member.by_ids, names.Member | None, "Who did it.", key="actor_id")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    from_version: int | None = strawberry.field(description="The version's number before. Null if it has no such.")
    to_version: int | None = strawberry.field(description="The version's number after. Null if it has no such.")
    message: str | None = strawberry.field(
        description="Why. Null if nobody said.", metadata=weight(characters=limits.MESSAGE.maximum)
    )
    changes = relation(config_diff.of_events, list[ConfigChange], "What differs since.", weight=CHANGES)


@strawberry.type(description="One page of a job's history.")
class JobEventConnection(Connection[JobEvent]): ...
