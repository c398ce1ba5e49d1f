"""Webhooks, which administrators and auditors see."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, or_, select

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
    undelivered: str | None


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Webhook]:
    return await read.keyed(_by_ids, keys=ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], page: PageArguments
) -> Mapping[str, Page[Webhook]]:
    return await OF_ORGANIZATIONS.pages(read, organization_ids, page)


async def delivered_cursors(read: Read, webhook_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the cursor before each webhook's first event that isn't delivered, or of the last event that was read."""
    rows = await read.rows(_progress, keys=webhook_ids)
    return {
        row.id: cursor.encode(Event.position, *(row.undelivered, "") if row.undelivered else (row[1], row[2]))
        for row in rows
    }


def is_undelivered() -> ColumnElement[bool]:
    """Whether a delivery of a joined webhook will be sent, or will be when the webhook is enabled again."""
    is_pending = and_(WebhookDelivery.status == WebhookDeliveryStatus.PENDING, WebhookDelivery.is_requested.is_(False))
    return or_(is_pending, has_failed_with_all())


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
    first = select(func.min(WebhookDelivery.position)).where(WebhookDelivery.webhook_id == Webhook.id, is_undelivered())
    columns = (Webhook.id, Webhook.read_position, Webhook.read_id)
    return select(*columns, first.scalar_subquery().label("undelivered")).where(among(Webhook.id, KEYS))


OF_ORGANIZATIONS = PagedList(_all, Webhook.organization_id, Webhook.id, Webhook.id)
