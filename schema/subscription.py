from typing import Annotated

import strawberry

from mainsheet.resolvers import job as job_rows
from mainsheet.resolvers import subscription
from mainsheet.resolvers.event_filter import NO_FILTER
from mainsheet.resolvers.subscription import Source
from mainsheet.schema import names
from mainsheet.schema.connection import described
from mainsheet.schema.event import FILTER, EventFilter, event_conditions
from mainsheet.schema.job_filter import JobFilter, job_conditions
from mainsheet.schema.relation import relation

AFTER = described(
    "Begin after this cursor of an `Event` or a `JobChange`, to miss nothing since then. If omitted,"
    " begin with what happens from now on."
)


def event_source(
    *, filter: Annotated[EventFilter | None, FILTER] = None, after: Annotated[str | None, AFTER] = None
) -> Source:
    return Source(event_conditions(filter), after)


def job_source(
    *,
    filter: Annotated[
        JobFilter | None,
        described("The filter that `isRemoved` is about. Changes of jobs that don't match it are delivered, too."),
    ] = None,
    after: Annotated[str | None, AFTER] = None,
) -> Source:
    return Source(NO_FILTER, after, job_conditions(filter))


@strawberry.type(description="A change of a job or its runs.")
class JobChange:
    job_id: strawberry.ID = strawberry.field(description="The id of the job.")
    job = relation(
        job_rows.by_ids,
        names.Job | None,
        "The job as it is now. Null if it was deleted or you can no longer see it.",
        key="job_id",
    )
    is_removed: bool = strawberry.field(
        description=(
            "Whether to remove the job from a list with the filter: it doesn't match it now, was deleted, or"
            " you can't see it. It may not have matched before either."
        )
    )
    cursor: str = strawberry.field(
        description="The position of the change in the feed, for the argument `after` of subscriptions."
    )


@strawberry.type(
    description=(
        "The subscriptions, over WebSocket by the protocol `graphql-transport-ws`, or over HTTP by the"
        " protocol `graphql-sse`. If a stream ends without `complete`, subscribe again after the cursor"
        " of the last event."
    )
)
class Subscription:
    events = relation(
        subscription.events,
        names.Event,
        "The events of the organization that you can see, in the order of `Query.events`.",
        key="event_id",
        arguments=event_source,
    )
    jobs = relation(
        subscription.jobs,
        JobChange,
        (
            "The changes of jobs that you can see and of their runs, to keep a list of jobs current. You also"
            " learn that a team lost access to a job, if you belong to it. Nothing is delivered if you leave"
            " a team."
        ),
        key="event_id",
        arguments=job_source,
    )
