"""The inputs of the mutations that change webhooks."""

import strawberry
from strawberry import Maybe

from mainsheet.schema import inputs
from mainsheet.schema.event import EventFilter
from mainsheet.schema.inputs import message
from mainsheet.schema.provisioning_inputs import clearable, expected, id_of, kept, omittable

URL = (
    "The address, at most 1023 ASCII characters, beginning with https:// or http://. Each"
    " delivery checks where it leads: https:// may lead to public addresses and to networks that"
    " the server's settings allow, http:// only to the latter. Other deliveries fail."
)
FILTER = "The events to send."
SHOWN_ONCE = (
    " The result of a repeated request has no secret: if you lost it, call `rotateWebhookSecret` with another key."
)


@strawberry.input(description="A new webhook.")
class CreateWebhookInput:
    url: str = strawberry.field(description=URL)
    description: str | None = omittable(inputs.PROSE)
    filter: EventFilter | None = omittable(f"{FILTER} Omit for all events.")
    is_enabled: bool = strawberry.field(default=True, description="Whether to send events.")
    message: str | None = message()
    idempotency_key: str | None = inputs.idempotency_key(SHOWN_ONCE)


@strawberry.input(description="Changes to a webhook.")
class UpdateWebhookInput:
    webhook_id: strawberry.ID = id_of("webhook")
    url: Maybe[str | None] = kept(URL)
    description: Maybe[str | None] = clearable(inputs.PROSE)
    filter: Maybe[EventFilter | None] = strawberry.field(
        description=f"{FILTER} Null for all events. Omit to keep the value."
    )
    is_enabled: Maybe[bool | None] = kept(
        "Whether to send events. Enabled again, a webhook gets the events since `lastDeliveredCursor`."
    )
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The webhook to delete.")
class DeleteWebhookInput:
    webhook_id: strawberry.ID = id_of("webhook")
    expected_revision: int | None = expected()
    message: str | None = message()
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The webhook whose secret to replace.")
class RotateWebhookSecretInput:
    webhook_id: strawberry.ID = id_of("webhook")
    overlap_seconds: int = strawberry.field(
        default=86_400,
        description=(
            "How long the earlier secrets still sign messages as well, in seconds: 0 to 2592000 (30"
            " days). At most five secrets sign at once; the oldest end first."
        ),
    )
    message: str | None = message()
    idempotency_key: str | None = inputs.idempotency_key(SHOWN_ONCE)


@strawberry.input(description="The webhook to test.")
class TestWebhookInput:
    webhook_id: strawberry.ID = id_of("webhook")
    message: str | None = message("test")
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Deliveries to send again.")
class RedeliverWebhookInput:
    webhook_id: strawberry.ID = id_of("webhook")
    delivery_ids: list[strawberry.ID] = strawberry.field(description="The deliveries of the webhook, 1 to 100.")
    message: str | None = message("redelivery")
    idempotency_key: str | None = inputs.idempotency_key()
