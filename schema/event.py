"""Events, their lists and their filter."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from mainsheet.models import limits
from mainsheet.models.event import Event as EventRow
from mainsheet.models.event import EventAction
from mainsheet.resolvers import actor as actor_rows
from mainsheet.resolvers import config_diff, event_filter, event_version, job
from mainsheet.resolvers import node as node_rows
from mainsheet.resolvers.event import EventListArguments
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments, SortDirection
from mainsheet.schema import names
from mainsheet.schema.conditions import EACH_LIST, conditions
from mainsheet.schema.config_change import CHANGES, ConfigChange
from mainsheet.schema.connection import Connection, described, with_page_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.weight import weight


@strawberry.input(
    description=(
        "Conditions that an event must match to be listed. They are combined with AND; an omitted or null field is no"
        f" condition. {EACH_LIST}"
    )
)
class EventFilter:
    actions: list[EventAction] | None = strawberry.field(default=UNSET, description="The event is one of these kinds.")
    job_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The event is about one of these jobs, its versions or its runs."
    )
    subject_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The event is about one of these objects."
    )
    actor_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="One of these actors made the change."
    )
    team_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description=(
            "One of these teams had access to the job when the event occurred or, for an event before release"
            " 0.2.0, when the database was upgraded."
        ),
    )
    since: datetime | None = strawberry.field(
        default=UNSET, description="The event occurred at this time or later. A time without an offset is UTC."
    )
    until: datetime | None = strawberry.field(
        default=UNSET, description="The event occurred before this time. A time without an offset is UTC."
    )


FILTER = described("Return only the events that match this filter.")


@with_page_arguments(SortDirection.DESC)
def job_event_arguments(
    page: PageArguments, *, filter: Annotated[EventFilter | None, FILTER] = None
) -> EventListArguments:
    return EventListArguments(page, event_conditions(filter))


@with_page_arguments(is_numbered=False)
def feed_arguments(page: PageArguments, *, filter: Annotated[EventFilter | None, FILTER] = None) -> EventListArguments:
    return EventListArguments(page, event_conditions(filter))


def event_conditions(wanted: EventFilter | None) -> event_filter.EventFilter:
    return event_filter.EventFilter(**conditions(wanted))


@strawberry.type(description="A change in the history of the organization. Events never change.")
class Event(Node, prefix=EventRow.PREFIX):
    action: EventAction = strawberry.field(description="The kind of the event.")
    occurred_at: datetime = strawberry.field(
        description="When the event occurred. `Query.events` isn't sorted by this time."
    )
    actor = relation(
        actor_rows.by_ids,
        names.Actor | None,
        "Who made the change. Null if it was made by the server or on the command line.",
        key="actor_id",
    )
    subject = relation(
        node_rows.by_ids,
        Node | None,
        "The object that was changed: for a draft or version, the job. Null if it was deleted.",
        key="subject_id",
    )
    subject_id: strawberry.ID = strawberry.field(description="The id of the subject, also after its deletion.")
    subject_label: str = strawberry.field(
        description="The name of the subject for people at the time of the event, such as the key of a job."
    )
    job = relation(
        job.by_ids,
        names.Job | None,
        "The job that the event is about. Null if there is none, or if it was deleted.",
        key="job_id",
    )
    from_version = relation(
        event_version.before,
        names.JobVersion | None,
        (
            "The version before the event: the one that was copied, replaced or discarded. Null if there is"
            " none, or if it was deleted."
        ),
    )
    from_version_number: int | None = strawberry.field(
        description="The number of `fromVersion`, also after its deletion. Null if there is none."
    )
    to_version = relation(
        event_version.after,
        names.JobVersion | None,
        (
            "The version after the event or, for a run, the version that it executes. Null if there is none,"
            " or if it was deleted."
        ),
    )
    to_version_number: int | None = strawberry.field(
        description="The number of `toVersion`, also after its deletion. Null if there is none."
    )
    message: str | None = strawberry.field(
        description="The reason for the change. Null if not set.", metadata=weight(characters=limits.MESSAGE.maximum)
    )
    changes = relation(
        config_diff.of_events,
        list[ConfigChange],
        "The values that the event changed. Empty if it changed none, as an event of a run.",
        weight=CHANGES,
    )

    @strawberry.field(
        description="The position in the feed, for the argument `after` of `Query.events` and of subscriptions.",
        metadata=reads("position", "id"),
    )
    def cursor(root: strawberry.Parent[Any]) -> str:  # noqa: N805 the row is the parent
        return cursor.encode(EventRow.position, root.position, root.id)


@strawberry.type(description="A page of a list of events.")
class EventConnection(Connection[Event]): ...
