"""What the process that sends to webhooks reads and writes. One process does it at a time: the holder of the lease."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import BindParameter, Integer, String, and_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mainsheet.models.clock import database_time, read_clock
from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.event import Event, EventAction
from mainsheet.models.failures import failure_of
from mainsheet.models.feed import CursorExpired
from mainsheet.models.ids import new_id
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.webhook import Webhook, WebhookSecret
from mainsheet.models.webhook_delivery import GONE, Outcome, WebhookDelivery, WebhookDeliveryStatus
from mainsheet.models.webhook_lease import WebhookLease
from mainsheet.resolvers import event as event_rows
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event import EventListArguments
from mainsheet.resolvers.event_feed import is_settled
from mainsheet.resolvers.event_filter import EventFilter
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.snapshot import Read, rows_alone
from mainsheet.resolvers.sql.statement import Statement, View, rows_of
from mainsheet.resolvers.webhook import is_pending

PAGE = 100
MOST_READ = 10_000  # events of the feed that are read at once, whether or not the filter matches them
MOST_PENDING = 1_000  # deliveries of a webhook; it reads on when there are fewer
AT_ONCE = 10  # attempts of a webhook
OF_ORGANIZATION = 20  # attempts at once

log = structlog.stdlib.get_logger("mainsheet.webhooks")


class Due(NamedTuple):
    """A delivery whose time has come."""

    id: str
    webhook_id: str
    organization_id: str
    url: str
    event_id: str
    attempt: int


def reader_of(organization_id: str) -> Caller:
    """Return who reads the events of webhooks: only administrators create them."""
    return Caller("", organization_id, OrganizationRole.ADMIN)


async def watched_organizations(database: Database) -> set[str]:
    """Return the organizations that have webhooks. This takes no lock, not even SQLite's."""
    return {row.organization_id for row in await rows_alone(database, _organizations)}


async def hold_lease(database: Database, holder: str, lasts: timedelta) -> bool:
    """Take or renew the lease. Return False if another process holds it.

    A lease that ends much later than any can was taken before the clock was set back. A holder that lives still sends.
    """
    async with database.writes.begin() as connection:
        now = await read_clock(connection)
        has_ended = or_(WebhookLease.expires_at <= now, WebhookLease.expires_at > now + 2 * lasts)
        is_free = or_(WebhookLease.holder == holder, has_ended)
        taken = update(WebhookLease).where(is_free).values(holder=holder, expires_at=now + lasts)
        return (await connection.execute(taken)).rowcount == 1


async def release_lease(database: Database, holder: str) -> None:
    async with database.writes.begin() as connection:
        now = await read_clock(connection)
        await connection.execute(update(WebhookLease).where(WebhookLease.holder == holder).values(expires_at=now))


async def read_feeds(database: Database) -> bool:
    """Add deliveries for some next events of each enabled webhook. Return whether there may be more events."""
    behind = await rows_alone(database, _behind, most_pending=MOST_PENDING)
    return any([await _try_to_read_on(database, each) for each in behind])


class OfOrganization(NamedTuple):
    organization_id: str


@rows_of(OfOrganization, key="organization_id")
def _organizations(_view: View) -> Statement:
    return select(Webhook.organization_id).distinct()


@rows_of(Webhook)
def _behind(_view: View) -> Statement:
    """Select the webhooks whose organizations have later events, unless too many deliveries wait."""
    newest = select(Event.position).where(Event.organization_id == Webhook.organization_id)
    pending = select(WebhookDelivery.id).where(WebhookDelivery.webhook_id == Webhook.id, is_pending())
    return select(*Webhook.__table__.c).where(
        Webhook.is_enabled,
        newest.order_by(Event.position.desc()).limit(1).scalar_subquery() > Webhook.read_position,
        pending.offset(_number("most_pending")).limit(1).scalar_subquery().is_(None),
    )


async def _try_to_read_on(database: Database, webhook: Webhook) -> bool:
    """Log a failure, so that it stops no other webhook."""
    try:
        return await _read_on(database, webhook)
    except Exception as error:
        if (failure := failure_of(error)) is None:
            log.exception("webhook failed to read the feed", webhook=webhook.id)
        else:
            log.warning("webhook failed to read the feed", webhook=webhook.id, reason=str(failure))
        return False


async def _read_on(database: Database, webhook: Webhook) -> bool:
    try:
        events, end, is_more = await _next_events(database, webhook)
    except CursorExpired as expired:
        log.warning("webhook missed events: they expired before it read them", webhook=webhook.id)
        await _advance(database, webhook, expired.oldest_cursor, [])
        return True
    if end is not None:
        await _advance(database, webhook, end, events)
    return is_more


async def _next_events(database: Database, webhook: Webhook) -> tuple[Sequence[Event], str | None, bool]:
    """Return the next events for the webhook, the cursor up to which they were read, and whether there may be more.

    A filter that matches few events is applied to a limited number of them.
    """
    own, start = [webhook.organization_id], {"at_key": webhook.read_position, "at_id": webhook.read_id}
    after = cursor.encode(Event.position, webhook.read_position, webhook.read_id)
    read = Read.of(database, reader_of(webhook.organization_id))
    try:
        last = next(iter(await read.rows(_last_to_read, keys=own, **start, most=MOST_READ - 1)), None)
        wanted = replace(_filter(webhook), to_position=None if last is None else last.position)
        arguments = EventListArguments(PageArguments(size=PAGE, after=after), wanted)
        page = (await event_rows.of_organizations(read, own, arguments))[webhook.organization_id]
    finally:
        await read.close()
    if last is None or page.has_next_page:
        return page.nodes, page.end_cursor, page.has_next_page
    return page.nodes, cursor.encode(Event.position, last.position, last.id), True


class Position(NamedTuple):
    position: str
    id: str


@rows_of(Position, key="position")
def _last_to_read(view: View) -> Statement:
    """Select the last one of the next events that are settled, if there are so many."""
    start = tuple_(bindparam("at_key", type_=Event.position.type), bindparam("at_id", type_=String()))
    following = among(Event.organization_id, KEYS) & is_settled(view) & (tuple_(Event.position, Event.id) > start)
    ordered = select(Event.position, Event.id).where(following).order_by(Event.position, Event.id)
    return ordered.offset(_number("most")).limit(1)


def _filter(webhook: Webhook) -> EventFilter:
    values: dict[str, Any] = {}
    for name, stored in (webhook.filter or {}).items():
        values[name] = tuple(stored) if isinstance(stored, list) else datetime.fromisoformat(stored)
    if "actions" in values:
        values["actions"] = tuple(map(EventAction, values["actions"]))
    return EventFilter(**values)


async def _advance(database: Database, webhook: Webhook, end: str, events: Sequence[Event]) -> None:
    """Store the deliveries and where the webhook has read to, unless it has read on or was changed meanwhile.

    With another filter, it reads the same events again.
    """
    position, event_id = cursor.decode(Event.position, end)
    if (position, event_id) == (webhook.read_position, webhook.read_id):
        return
    unmoved = and_(Webhook.read_position == webhook.read_position, Webhook.revision == webhook.revision)
    moved = update(Webhook).where(Webhook.id == webhook.id, unmoved).values(read_position=position, read_id=event_id)
    async with AsyncSession(database.writes, autoflush=False) as session, session.begin():
        at = await read_clock(session)
        if (await _execute(session, moved)) == 1:
            session.add_all(_delivery(webhook, each, at) for each in events if _is_sent(each))


async def _execute(session: AsyncSession, statement: Any) -> int:
    result: Any = await session.execute(statement)
    return int(result.rowcount)


def _is_sent(event: Event) -> bool:
    return event.action != EventAction.WEBHOOK_TESTED  # `testWebhook` adds its delivery to the webhook


def _delivery(webhook: Webhook, event: Event, at: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        id=new_id(WebhookDelivery.PREFIX, at),
        organization_id=webhook.organization_id,
        webhook_id=webhook.id,
        event_id=event.id,
        position=event.position,
        order_key=event.job_id or event.subject_id,
        status=WebhookDeliveryStatus.PENDING,
        is_requested=False,
        attempt=0,
        next_attempt_at=at,
        at=at,
    )


async def due(database: Database) -> Sequence[Due]:
    """Return deliveries to send now: of each webhook some, and of each job the first one that isn't delivered.

    Those that were requested come first. Organizations take turns: first the first one of each.
    """
    return await rows_alone(database, _due, at_once=AT_ONCE, of_organization=OF_ORGANIZATION)


@rows_of(Due)
def _due(_view: View) -> Statement:
    earlier = aliased(WebhookDelivery)
    blocks = and_(
        earlier.webhook_id == WebhookDelivery.webhook_id,
        earlier.order_key == WebhookDelivery.order_key,
        earlier.position < WebhookDelivery.position,
        is_pending(earlier),
        earlier.is_requested.is_(False),
    )
    is_first = and_(Webhook.is_enabled, ~select(earlier.id).where(blocks).exists())
    # If the last change is still to come, the clock was set back, and nothing waits until it has caught up.
    is_due = or_(WebhookDelivery.next_attempt_at <= database_time(), WebhookDelivery.at > database_time())
    in_turn = (WebhookDelivery.is_requested.desc(), WebhookDelivery.position)
    order = func.row_number().over(partition_by=WebhookDelivery.webhook_id, order_by=in_turn)
    found = (
        select(*(getattr(Webhook if name == "url" else WebhookDelivery, name) for name in Due._fields))
        .add_columns(order.label("order"), WebhookDelivery.next_attempt_at)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(is_pending(), is_due)
        .where(or_(WebhookDelivery.is_requested, is_first))
        .subquery()
    )
    in_order = (found.c.order, found.c.next_attempt_at, found.c.id)
    turn = func.row_number().over(partition_by=found.c.organization_id, order_by=in_order)
    of_webhooks = select(found, turn.label("turn")).where(found.c.order <= _number("at_once")).subquery()
    columns = [of_webhooks.c[name] for name in Due._fields]
    own = select(*columns).where(of_webhooks.c.turn <= _number("of_organization"))
    return own.order_by(of_webhooks.c.turn, of_webhooks.c.next_attempt_at)


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer())


async def valid_secrets(database: Database, webhook_id: str) -> Sequence[str]:
    """Return the secrets that sign now, the newest first."""
    return [row.secret for row in await rows_alone(database, _valid_secrets, keys=[webhook_id])]


class Secret(NamedTuple):
    secret: str


@rows_of(Secret, key="secret")
def _valid_secrets(_view: View) -> Statement:
    is_valid = or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > database_time())
    own = select(WebhookSecret.secret).where(among(WebhookSecret.webhook_id, KEYS), is_valid)
    return own.order_by(*WebhookSecret.newest_first())


async def record(database: Database, sent: Due, outcome: Outcome) -> None:
    """Store how an attempt ended, unless another attempt was recorded meanwhile, or the webhook was deleted."""
    async with AsyncSession(database.writes, autoflush=False) as session, session.begin():
        webhook = await session.get(Webhook, sent.webhook_id, with_for_update={"key_share": True})
        same = (WebhookDelivery.id == sent.id, WebhookDelivery.attempt == sent.attempt, is_pending())
        delivery = await session.scalar(select(WebhookDelivery).where(*same).with_for_update())
        if webhook is None or delivery is None:
            return
        edit = Edit("", await read_clock(session))
        delivery.end_attempt(outcome, edit.at)
        _note(webhook, delivery, outcome, edit)
        session.add_all(edit.events)


def _note(webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome, edit: Edit) -> None:
    is_gone, is_given_up = outcome.response_status == GONE, delivery.status is WebhookDeliveryStatus.FAILED
    if outcome.error is None:
        webhook.succeed()
    elif is_gone or not (delivery.is_requested or outcome.is_final):
        webhook.fail(edit, outcome.error, is_given_up=is_given_up, is_gone=is_gone)
    if edit.events:
        log.warning("webhook disabled", webhook=webhook.id, reason=webhook.disabled_reason)
