"""The mutations that change webhooks, with their payloads."""

import strawberry

from mainsheet.models import limits
from mainsheet.resolvers import webhook as webhooks
from mainsheet.resolvers import webhook_delivery
from mainsheet.resolvers.commands import webhook
from mainsheet.schema import names, payloads
from mainsheet.schema import webhook_inputs as inputs
from mainsheet.schema.mutation_field import mutation
from mainsheet.schema.payloads import Key, Payload
from mainsheet.schema.provisioning import BY_ADMINISTRATORS
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight


@strawberry.type
class WebhookPayload(Payload):
    webhook_id: Key = None
    webhook = payloads.entity(webhooks.by_ids, names.Webhook, "webhook", "webhook_id")


@strawberry.type
class NewWebhookPayload(WebhookPayload):
    secret: str | None = strawberry.field(
        default=None,
        description=(
            "The secret that signs the messages as Standard Webhooks specifies, beginning with `whsec_`. It"
            " is shown only here. Null if the mutation was refused, or if the `idempotencyKey` was used"
            " before."
        ),
    )


@strawberry.type
class WebhookDeliveriesPayload(WebhookPayload):
    requested_ids: strawberry.Private[tuple[str, ...]] = ()
    deliveries = relation(
        webhook_delivery.of_lists,
        list[names.WebhookDelivery],
        "The deliveries, which are about to be sent. Empty if the mutation was refused.",
        key="requested_ids",
        weight=weight(items=limits.BATCH.maximum),
    )


@strawberry.type
class DeletedWebhookPayload(Payload):
    deleted_webhook_id: strawberry.ID | None = payloads.deleted("webhook")


ENDED = "Those that have ended are sent once, at once, in no particular order, and also if the webhook is disabled."
PENDING = "A pending one is due at once, keeps its order and its retries, and waits while the webhook is disabled."


@strawberry.type
class WebhookMutation:
    create_webhook = mutation(
        webhook.create,
        inputs.CreateWebhookInput,
        NewWebhookPayload,
        f"Create a webhook. It gets the events after its creation. An organization has at most {limits.WEBHOOKS}."
        f" {BY_ADMINISTRATORS}",
    )
    update_webhook = mutation(
        webhook.change, inputs.UpdateWebhookInput, WebhookPayload, f"Change a webhook. {BY_ADMINISTRATORS}"
    )
    delete_webhook = mutation(
        webhook.delete,
        inputs.DeleteWebhookInput,
        DeletedWebhookPayload,
        f"Delete a webhook with its secrets and deliveries. {BY_ADMINISTRATORS}",
    )
    rotate_webhook_secret = mutation(
        webhook.rotate_secret,
        inputs.RotateWebhookSecretInput,
        NewWebhookPayload,
        f"Replace the secret of a webhook. Until the overlap ends, the earlier secrets sign messages as well."
        f" {BY_ADMINISTRATORS}",
    )
    test_webhook = mutation(
        webhook.send_test,
        inputs.TestWebhookInput,
        WebhookDeliveriesPayload,
        "Send an event of the kind `WEBHOOK_TESTED` to the webhook, whatever its filter is. It is sent once, also if"
        f" the webhook is disabled. No other webhook gets it. {BY_ADMINISTRATORS}",
    )
    redeliver_webhook = mutation(
        webhook.redeliver,
        inputs.RedeliverWebhookInput,
        WebhookDeliveriesPayload,
        f"Send deliveries of the webhook again. {ENDED} {PENDING} {BY_ADMINISTRATORS}",
    )
