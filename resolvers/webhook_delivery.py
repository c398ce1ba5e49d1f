from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import WebhookDelivery, WebhookDeliveryStatus
from mainsheet.resolvers.sql.array_param import KEYS, TextArray, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of
from mainsheet.resolvers.webhook import visible

COLUMNS = WebhookDelivery.__table__.c
STATUSES = "statuses"


@dataclass(frozen=True)
class WebhookDeliveryListArguments:
    page: PageArguments
    statuses: tuple[WebhookDeliveryStatus, ...] | None = None


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, WebhookDelivery]:
    return await read.keyed(_by_ids, keys=ids)


async def of_lists(read: Read, lists: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[WebhookDelivery]]:
    """Return the deliveries of each list of ids in order."""
    wanted = list({each for ids in lists for each in ids})
    found = await by_ids(read, wanted) if wanted else {}
    return {ids: [found[each] for each in ids if each in found] for ids in lists}


async def of_webhooks(
    read: Read, webhook_ids: Sequence[str], arguments: WebhookDeliveryListArguments
) -> Mapping[str, Page[WebhookDelivery]]:
    """List each webhook's deliveries in the order of their events. The caller sees the webhooks."""
    parameters = {} if arguments.statuses is None else {STATUSES: arguments.statuses}
    return await OF_WEBHOOKS.pages(read, webhook_ids, arguments.page, parameters=parameters)


@rows_of(WebhookDelivery)
def _by_ids(view: View) -> Statement:
    of_webhook = select(Webhook.id).where(Webhook.id == WebhookDelivery.webhook_id, visible(view))
    is_own = of_webhook.correlate(WebhookDelivery).exists()
    return select(*view.only(COLUMNS)).where(among(WebhookDelivery.id, KEYS), is_own)


@rows_of(WebhookDelivery)
def _of_webhooks(view: View, *conditions: str) -> Statement:
    wanted = [among(WebhookDelivery.status, bindparam(name, type_=TextArray())) for name in conditions]
    return select(*view.only(COLUMNS)).where(*wanted)


OF_WEBHOOKS = PagedList(_of_webhooks, WebhookDelivery.webhook_id, WebhookDelivery.position, WebhookDelivery.id)
