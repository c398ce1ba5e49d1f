"""Webhooks, which administrators and auditors see."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, false, func, literal_column, select

from mainsheet.models.event import Event
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import WebhookDelivery, WebhookDeliveryStatus
from mainsheet.resolvers.permissions import sees_all_jobs
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Webhook.__table__.c


class Progress(NamedTuple):
    id: str
    read_position: str
    read_id: str
    pending: str | None
    failed: str | None


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Webhook]:
    return await read.keyed(_by_ids, keys=ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], page: PageArguments
) -> Mapping[str, Page[Webhook]]:
    return await OF_ORGANIZATIONS.pages(read, organization_ids, page)


async def delivered_cursors(read: Read, webhook_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the cursor before each webhook's first event that isn't delivered, or of the last event that was read."""
    return {row.id: _delivered_cursor(row) for row in await read.rows(_progress, keys=webhook_ids)}


def _delivered_cursor(progress: Progress) -> str:
    undelivered = list(filter(None, (progress.pending, progress.failed)))
    end = (min(undelivered), "") if undelivered else (progress.read_position, progress.read_id)
    return cursor.encode(Event.position, *end)


def is_pending(delivery: type[WebhookDelivery] = WebhookDelivery) -> ColumnElement[bool]:
    return delivery.status == literal_column(f"'{WebhookDeliveryStatus.PENDING}'")  # as in the condition of the index


def has_failed_with_all() -> ColumnElement[bool]:
    """Whether a delivery of a joined webhook, but no test, was given up while all others failed, too."""
    is_failed = WebhookDelivery.status == WebhookDeliveryStatus.FAILED
    is_test = WebhookDelivery.order_key == WebhookDelivery.event_id
    return and_(is_failed, ~is_test, WebhookDelivery.at >= Webhook.failing_since)


def visible(view: View) -> ColumnElement[bool]:
    own: ColumnElement[bool] = Webhook.organization_id == view.caller.organization_id
    return own if sees_all_jobs(view.caller) else false()


@rows_of(Webhook)
def _all(view: View) -> Statement:
    return select(*view.only(COLUMNS)).where(visible(view))


@rows_of(Webhook)
def _by_ids(view: View) -> Statement:
    return _all(view).where(among(Webhook.id, KEYS))


@rows_of(Progress)
def _progress(_view: View) -> Statement:
    """Select where each webhook has read to, and the first event that will be sent, or would if it were enabled again.

    The deliveries that wait have an index. The others are read only while the webhook fails.
    """
    first = select(func.min(WebhookDelivery.position)).where(WebhookDelivery.webhook_id == Webhook.id)
    pending = first.where(is_pending(), WebhookDelivery.is_requested.is_(False)).scalar_subquery()
    failed = case((Webhook.failing_since.is_not(None), first.where(has_failed_with_all()).scalar_subquery()))
    columns = (Webhook.id, Webhook.read_position, Webhook.read_id, pending.label("pending"), failed.label("failed"))
    return select(*columns).where(among(Webhook.id, KEYS))


OF_ORGANIZATIONS = PagedList(_all, Webhook.organization_id, Webhook.id, Webhook.id)
