"""The inputs of the mutations that change webhooks."""

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.schema import inputs
from mainsheet.schema.event import EventFilter
from mainsheet.schema.provisioning_inputs import CLEAR, KEEP

URL = (
    "The address, at most 1023 ASCII characters, beginning with https://. It is checked again at each delivery: it must"
    " not lead to a private network that the server's settings don't allow. Plain http:// works only in networks that"
    " they do allow."
)
FILTER = "The events to send; lists have at most 100 entries."
WEBHOOK = "The webhook."
MESSAGE = "The reason for the change, kept in its event. At most 1023 characters."
SHOWN_ONCE = " The secret isn't part of it: if you lost the first result, rotate the secret with another key."
EXPECTED = "The expected revision. If it differs, the mutation is refused. Omit to skip the check: the last write wins."


@strawberry.input(description="A new webhook.")
class CreateWebhookInput:
    url: str = strawberry.field(description=URL)
    description: str | None = strawberry.field(default=UNSET, description=inputs.PROSE)
    filter: EventFilter | None = strawberry.field(default=UNSET, description=f"{FILTER} Omit for all events.")
    is_enabled: bool = strawberry.field(default=True, description="Whether to send events from now on.")
    message: str | None = strawberry.field(default=UNSET, description=MESSAGE)
    idempotency_key: str | None = inputs.idempotency_key(SHOWN_ONCE)


@strawberry.input(description="Changes to a webhook.")
class UpdateWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description=WEBHOOK)
    url: Maybe[str | None] = strawberry.field(description=f"{URL} {KEEP}")
    description: Maybe[str | None] = strawberry.field(description=f"{inputs.PROSE} {CLEAR}")
    filter: Maybe[EventFilter | None] = strawberry.field(
        description=f"{FILTER} Null for all events. Omit to keep the value."
    )
    is_enabled: Maybe[bool | None] = strawberry.field(
        description=(
            "Whether to send events. Enabled again, a webhook gets the events since `lastDeliveredCursor`. " + KEEP
        )
    )
    expected_revision: int | None = strawberry.field(default=UNSET, description=EXPECTED)
    message: str | None = strawberry.field(default=UNSET, description=MESSAGE)
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The webhook to delete.")
class DeleteWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description=WEBHOOK)
    expected_revision: int | None = strawberry.field(default=UNSET, description=EXPECTED)
    message: str | None = strawberry.field(default=UNSET, description=MESSAGE)
    dry_run: bool = inputs.dry_run()


@strawberry.input(description="The webhook whose secret to replace.")
class RotateWebhookSecretInput:
    webhook_id: strawberry.ID = strawberry.field(description=WEBHOOK)
    overlap_seconds: int = strawberry.field(
        default=86_400,
        description=(
            "How long the earlier secrets sign messages, too: 0 to 2592000. A message has a signature by each secret,"
            " of at most five."
        ),
    )
    idempotency_key: str | None = inputs.idempotency_key(SHOWN_ONCE)


@strawberry.input(description="The webhook to test.")
class TestWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description=WEBHOOK)
    idempotency_key: str | None = inputs.idempotency_key()


@strawberry.input(description="Deliveries to send again.")
class RedeliverWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description=WEBHOOK)
    delivery_ids: list[strawberry.ID] = strawberry.field(description="The deliveries of the webhook, 1 to 100.")
    idempotency_key: str | None = inputs.idempotency_key()
