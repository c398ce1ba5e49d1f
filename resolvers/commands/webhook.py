from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from mainsheet.models import limits
from mainsheet.models.event import START, Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.provisioning_errors import QuotaExceeded
from mainsheet.models.roles import AccessScope, OrganizationPermission
from mainsheet.models.webhook import MAX_SECRETS, Webhook, WebhookSecret
from mainsheet.models.webhook_delivery import WebhookDelivery, WebhookDeliveryStatus
from mainsheet.models.webhook_errors import WebhookDeliveryNotFound, WebhookNotFound
from mainsheet.resolvers.event_feed import is_settled
from mainsheet.resolvers.sql.statement import View
from mainsheet.resolvers.webhook import has_failed_with_all, is_pending
from mainsheet.resolvers.write import (
    DeletedWebhookAnswer,
    NewWebhookAnswer,
    WebhookAnswer,
    WebhookDeliveriesAnswer,
    Write,
    command,
)


@command("createWebhook", AccessScope.ADMIN)
async def create(write: Write, *, message: str | None = None, **values: Any) -> NewWebhookAnswer:
    """Create a webhook for the events from now on. Its secret is part of this answer only."""
    organization = await write.organization(OrganizationPermission.MANAGE_WEBHOOKS)
    await _check_quota(write)
    position, event_id = await _end_of_feed(write)
    webhook = Webhook(
        id=new_id(Webhook.PREFIX, write.at),
        organization_id=organization.id,
        revision=1,
        read_position=max(position, organization.events_expired_to),
        read_id=event_id,
    )
    webhook.begin(EventAction.WEBHOOK_CREATED, _stored(write, values), write, message)
    write.session.add(webhook)
    await write.session.flush()
    return {"webhook_id": webhook.id, "secret": _new_secret(write, webhook)}


@command("updateWebhook", AccessScope.ADMIN)
async def change(
    write: Write, *, webhook_id: str, expected_revision: int | None = None, message: str | None = None, **values: Any
) -> WebhookAnswer:
    webhook = await _webhook(write, webhook_id)
    if values.get("is_enabled") and not webhook.is_enabled:
        await _try_again(write, webhook)
    stored = _stored(write, values)
    webhook.change(EventAction.WEBHOOK_UPDATED, stored, write, expected_revision=expected_revision, message=message)
    return {"webhook_id": webhook.id}


@command("deleteWebhook", AccessScope.ADMIN)
async def delete(
    write: Write, *, webhook_id: str, expected_revision: int | None = None, message: str | None = None
) -> DeletedWebhookAnswer:
    webhook = await _webhook(write, webhook_id)
    webhook.end(EventAction.WEBHOOK_DELETED, write, expected_revision, message)
    await write.session.delete(webhook)
    return {"deleted_webhook_id": webhook_id}


@command("rotateWebhookSecret", AccessScope.ADMIN)
async def rotate_secret(
    write: Write, *, webhook_id: str, overlap_seconds: int, message: str | None = None
) -> NewWebhookAnswer:
    """Add a secret. The earlier ones sign, too, until the overlap ends."""
    webhook = await _webhook(write, webhook_id)
    write.explain(message)
    write.problems += limits.OVERLAP_SECONDS.check(overlap_seconds, ("overlap_seconds",))
    write.refuse()
    own = select(WebhookSecret).where(WebhookSecret.webhook_id == webhook_id).order_by(*WebhookSecret.newest_first())
    secrets = (await write.session.scalars(own)).all()
    for secret in secrets[: MAX_SECRETS - 1]:
        secret.expire(write.at + timedelta(seconds=overlap_seconds))
    for secret in secrets[MAX_SECRETS - 1 :]:
        await write.session.delete(secret)
    webhook.record(EventAction.WEBHOOK_SECRET_ROTATED, write, None)
    return {"webhook_id": webhook_id, "secret": _new_secret(write, webhook)}


@command("testWebhook", AccessScope.ADMIN)
async def send_test(write: Write, *, webhook_id: str, message: str | None = None) -> WebhookDeliveriesAnswer:
    """Add an event, and its delivery to this webhook."""
    webhook = await _webhook(write, webhook_id)
    write.explain(message)
    write.refuse()
    webhook.record(EventAction.WEBHOOK_TESTED, write, None)
    event = write.events.pop()
    write.session.add(event)
    await write.session.flush()
    await write.session.refresh(event, ["position"])
    delivery = WebhookDelivery(
        id=new_id(WebhookDelivery.PREFIX, write.at),
        organization_id=webhook.organization_id,
        webhook_id=webhook_id,
        event_id=event.id,
        position=event.position,
        order_key=event.id,
        status=WebhookDeliveryStatus.PENDING,
        is_requested=True,
        attempt=0,
        next_attempt_at=write.at,
        at=write.at,
    )
    write.session.add(delivery)
    return {"webhook_id": webhook_id, "requested_ids": (delivery.id,)}


@command("redeliverWebhook", AccessScope.ADMIN)
async def redeliver(
    write: Write, *, webhook_id: str, delivery_ids: Sequence[str], message: str | None = None
) -> WebhookDeliveriesAnswer:
    webhook = await _webhook(write, webhook_id)
    write.explain(message)
    write.problems += limits.BATCH.check(len(delivery_ids), ("delivery_ids",))
    write.refuse()
    wanted = [each for each in delivery_ids if limits.storable(each)]
    own = (WebhookDelivery.webhook_id == webhook_id) & WebhookDelivery.id.in_(wanted)
    locked = select(WebhookDelivery).where(own).order_by(WebhookDelivery.id).with_for_update()
    found = {each.id: each for each in await write.session.scalars(locked)}
    for index, delivery_id in enumerate(delivery_ids):
        if delivery_id not in found:
            path = ("delivery_ids", str(index))
            write.problems.append(WebhookDeliveryNotFound(path=path, missing_id=delivery_id))
    write.refuse()
    for each in found.values():
        each.request(write.at)
    webhook.record(EventAction.WEBHOOK_REDELIVERED, write, None)
    return {"webhook_id": webhook_id, "requested_ids": tuple(dict.fromkeys(delivery_ids))}


async def _webhook(write: Write, webhook_id: str) -> Webhook:
    write.require(OrganizationPermission.MANAGE_WEBHOOKS)
    return await write.own(Webhook, webhook_id, WebhookNotFound(missing_id=webhook_id))


async def _check_quota(write: Write) -> None:
    own = select(func.count()).where(Webhook.organization_id == write.caller.organization_id)
    if (await write.session.scalar(own) or 0) >= limits.WEBHOOKS:
        raise QuotaExceeded(
            quota=limits.WEBHOOKS, owner="The organization", nouns="webhooks", advice="Delete one of them first."
        )


async def _end_of_feed(write: Write) -> tuple[str, str]:
    """Return the position and the id of the last event before which no other can be stored any more."""
    view = View(write.caller, None, is_sqlite=write.session.get_bind().dialect.name == "sqlite")
    own = (Event.organization_id == write.caller.organization_id) & is_settled(view)
    newest = select(Event.position, Event.id).where(own).order_by(Event.position.desc(), Event.id.desc()).limit(1)
    row = (await write.session.execute(newest)).first()
    return (START, "") if row is None else (row.position, row.id)


async def _try_again(write: Write, webhook: Webhook) -> None:
    """Send what failed before the webhook was disabled, from `lastDeliveredCursor` on."""
    pending = {
        "status": WebhookDeliveryStatus.PENDING,
        "is_requested": False,
        "attempt": 0,
        "next_attempt_at": write.at,
        "at": write.at,
    }
    own = (WebhookDelivery.webhook_id == webhook.id) & (Webhook.id == webhook.id)
    failed = select(WebhookDelivery.id).where(own, has_failed_with_all())
    await write.session.execute(update(WebhookDelivery).where(WebhookDelivery.id.in_(failed)).values(pending))
    own_pending = (WebhookDelivery.webhook_id == webhook.id) & is_pending()
    await write.session.execute(update(WebhookDelivery).where(own_pending).values(next_attempt_at=write.at))


def _new_secret(write: Write, webhook: Webhook) -> str:
    secret = WebhookSecret.make(webhook, write.at)
    write.session.add(secret)
    return secret.secret


def _stored(write: Write, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the filter as it is stored in JSON."""
    conditions = values.get("filter")
    if not conditions:
        return dict(values) | ({"filter": None} if "filter" in values else {})
    stored = {
        name: write.utc(each, ("filter", name)).isoformat() if isinstance(each, datetime) else each
        for name, each in conditions.items()
    }
    return {**values, "filter": stored}
