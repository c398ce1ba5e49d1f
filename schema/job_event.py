from datetime import datetime

import strawberry

from mainsheet.models import limits
from mainsheet.models.job_event import JobAction
from mainsheet.models.job_event import JobEvent as JobEventRow
from mainsheet.resolvers import actor as actor_rows
from mainsheet.resolvers import config_diff, job
from mainsheet.schema import names
from mainsheet.schema.config_change import CHANGES, ConfigChange
from mainsheet.schema.connection import Connection
from mainsheet.schema.node import Node
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight


@strawberry.type(description="An event in a job's history.")
class JobEvent(Node, prefix=JobEventRow.PREFIX):
    action: JobAction = strawberry.field(description="The kind of the event.")
    job = relation(job.by_ids, names.Job | None, "The job. Null if it was deleted.", key="job_id")
    job_key: str = strawberry.field(description="The key of the job. It is kept when the job is deleted.")
    actor = relation(actor_rows.by_ids, names.Actor | None, "Who made the change.", key="actor_id")
    occurred_at: datetime = strawberry.field(description="When the event occurred.")
    from_version: int | None = strawberry.field(
        description=("The number of the version before the event. Null if there is none.")
    )
    to_version: int | None = strawberry.field(
        description=("The number of the version after the event. Null if there is none.")
    )
    message: str | None = strawberry.field(
        description="The reason for the change. Null if not set.", metadata=weight(characters=limits.MESSAGE.maximum)
    )
    changes = relation(config_diff.of_events, list[ConfigChange], "The changes that the event made.", weight=CHANGES)


@strawberry.type(description="A page of a job's history.")
class JobEventConnection(Connection[JobEvent]): ...
