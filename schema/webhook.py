from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry

from mainsheet.models import limits
from mainsheet.models.event import EventAction
from mainsheet.models.webhook import Webhook as WebhookRow
from mainsheet.models.webhook_delivery import WebhookDelivery as WebhookDeliveryRow
from mainsheet.models.webhook_delivery import WebhookDeliveryStatus
from mainsheet.resolvers import actor, event, webhook, webhook_delivery
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments, SortDirection
from mainsheet.resolvers.webhook_delivery import WebhookDeliveryListArguments
from mainsheet.schema import names
from mainsheet.schema.actor import REVISION
from mainsheet.schema.conditions import THIS_LIST, entries
from mainsheet.schema.connection import Connection, described, with_page_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.weight import weight

NO_CONDITION = "Null if this is no condition."
ENTRIES = weight(items=limits.ENTRIES.maximum)


@with_page_arguments(SortDirection.DESC)
def delivery_list_arguments(
    page: PageArguments,
    *,
    statuses: Annotated[
        list[WebhookDeliveryStatus] | None,
        described(f"Return only deliveries with one of these statuses. {THIS_LIST}"),
    ] = None,
) -> WebhookDeliveryListArguments:
    return WebhookDeliveryListArguments(page, None if statuses is None else entries("statuses", statuses))


def _condition(description: str) -> Any:
    return strawberry.field(default=None, description=f"{description} {NO_CONDITION}")


def _conditions(description: str) -> Any:
    return strawberry.field(default=None, description=f"{description} {NO_CONDITION}", metadata=ENTRIES)


@strawberry.type(description="Which events a webhook gets: those that match all of the conditions.")
class EventFilterSettings:
    actions: list[EventAction] | None = _conditions("The event is one of these kinds.")
    job_ids: list[strawberry.ID] | None = _conditions("The event is about one of these jobs, its versions or its runs.")
    subject_ids: list[strawberry.ID] | None = _conditions("The event is about one of these objects.")
    actor_ids: list[strawberry.ID] | None = _conditions("One of these actors made the change.")
    team_ids: list[strawberry.ID] | None = _conditions(
        "One of these teams had access to the job when the event occurred."
    )
    since: datetime | None = _condition("The event occurred at this time or later.")
    until: datetime | None = _condition("The event occurred before this time.")


@strawberry.type(
    description=(
        "An address to which the organization's events are sent: each at least once, and those of one job"
        " in their order. Only administrators and auditors see webhooks."
    )
)
class Webhook(Node, prefix=WebhookRow.PREFIX):
    url: str = strawberry.field(description="The address that gets the events, by POST requests.")
    description: str | None = strawberry.field(
        description="A description for people. Null if not set.", metadata=weight(characters=limits.DESCRIPTION.maximum)
    )
    is_enabled: bool = strawberry.field(description="Whether events are sent.")
    disabled_reason: str | None = strawberry.field(
        description=(
            "Why the server disabled the webhook: all deliveries failed for five days, or the receiver"
            " answered with the status 410. Null if it didn't."
        )
    )
    revision: int = strawberry.field(description=REVISION)
    last_delivered_cursor = relation(
        webhook.delivered_cursors,
        str,
        (
            "The position in the feed up to which all events were delivered or given up. If the webhook is"
            " disabled and enabled again, it continues from here."
        ),
    )
    created_at: datetime = strawberry.field(description="When the webhook was created.")
    created_by = relation(actor.by_ids, names.Actor, "Who created the webhook.", key="created_by_id")
    deliveries = relation(
        webhook_delivery.of_webhooks,
        names.WebhookDeliveryConnection,
        "The deliveries in the order of their events, newest first.",
        arguments=delivery_list_arguments,
    )

    @strawberry.field(description="The events that the webhook gets. Null if it gets all.", metadata=reads("filter"))
    def filter(root: strawberry.Parent[Any]) -> EventFilterSettings | None:  # noqa: N805 the row is the parent
        return None if root.filter is None else _settings(root.filter)


def _settings(stored: dict[str, Any]) -> EventFilterSettings:
    values = dict(stored)
    if "actions" in values:
        values["actions"] = [EventAction(each) for each in values["actions"]]
    for name in {"since", "until"} & values.keys():
        values[name] = datetime.fromisoformat(values[name]).astimezone(UTC)
    return EventFilterSettings(**values)


@strawberry.type(
    description=(
        "The delivery of an event to a webhook. The server deletes finished deliveries some time after"
        " their last attempt: 30 days by default."
    )
)
class WebhookDelivery(Node, prefix=WebhookDeliveryRow.PREFIX):
    webhook = relation(webhook.by_ids, names.Webhook, "The webhook.", key="webhook_id")
    event = relation(event.by_ids, names.Event | None, "The event. Null if it was deleted.", key="event_id")
    attempt: int = strawberry.field(description="The number of attempts so far.")
    status: WebhookDeliveryStatus = strawberry.field(description="The status of the delivery.")
    response_status: int | None = strawberry.field(
        description="The HTTP status of the answer to the last attempt. Null if there was none."
    )
    error: str | None = strawberry.field(
        description=(
            "Why the last attempt failed, or that the event was deleted before it was sent. Null if the last attempt"
            " succeeded, or if there was none."
        )
    )
    next_attempt_at: datetime | None = strawberry.field(
        description=(
            "When the next attempt is due. Null if there is none. Deliveries of a disabled webhook wait, and"
            " earlier events of the same job are sent first, unless the delivery was requested by"
            " `testWebhook`, or by `redeliverWebhook` after it had ended."
        )
    )
    at: datetime = strawberry.field(
        description=(
            "When the last attempt was made or given up, or the delivery was created or last requested, whichever is"
            " later."
        )
    )


@strawberry.type(description="A page of a list of webhooks.")
class WebhookConnection(Connection[Webhook]): ...


@strawberry.type(description="A page of a list of deliveries.")
class WebhookDeliveryConnection(Connection[WebhookDelivery]): ...
