"""The sender reads only the deliveries that wait, however many a webhook has had."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import WebhookDelivery, WebhookDeliveryStatus
from mainsheet.resolvers.commands.webhook_sending import due, read_feeds
from testbed.ask import Ask
from testbed.world import World, make_webhook
from tests.scale.plans import Plans

ENDED, WAITING = 10_000, 10
PENDING = "ix_webhook_delivery_pending"  # contains only the deliveries that wait
INDEX = re.compile(r"\bix_webhook_delivery_\w+")
TABLE = re.compile(r"SCAN webhook_delivery(?! USING)|\"Seq Scan\"[^{}]*\"webhook_delivery\"")
CURSOR = "query ($id: ID!) { webhook(id: $id) { lastDeliveredCursor } }"


@pytest.fixture
async def webhook(database: Database, world: World) -> Webhook:
    """Return a webhook with many deliveries, of which few wait."""
    at = datetime.now(UTC)
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        webhook = await make_webhook(session, world.organization, world.admin)
        rows = [
            {
                "id": new_id(WebhookDelivery.PREFIX, at),
                "organization_id": webhook.organization_id,
                "webhook_id": webhook.id,
                "event_id": f"EV{index}",
                "position": f"{index:036}",
                "order_key": f"JB{index % 100}",
                "status": WebhookDeliveryStatus.SUCCEEDED if index < ENDED else WebhookDeliveryStatus.PENDING,
                "is_requested": False,
                "attempt": 0,
                "next_attempt_at": None if index < ENDED else at,
                "at": at,
            }
            for index in range(ENDED + WAITING)
        ]
        await session.execute(insert(WebhookDelivery), rows)
        await session.execute(text("ANALYZE"))
    return webhook


async def test_the_sender_reads_only_deliveries_that_wait(database: Database, webhook: Webhook) -> None:
    ask = Ask(database)
    ask.statements.clear()

    await read_feeds(database)
    assert len(await due(database)) == WAITING

    for plan in await _plans(database, ask):
        assert set(INDEX.findall(plan)) == {PENDING}
        assert not TABLE.search(plan)


async def test_the_cursor_is_found_without_the_ended_deliveries(
    database: Database, webhook: Webhook, world: World
) -> None:
    ask = Ask(database)
    await ask(world.admin, CURSOR, id=webhook.id)

    for plan in await _plans(database, ask):
        assert PENDING in INDEX.findall(plan)  # the other is used while the webhook fails
        assert not TABLE.search(plan)


async def _plans(database: Database, ask: Ask) -> list[str]:
    found = [await Plans().of(database, each) for each in ask.statements if "FROM webhook_delivery" in each]
    assert found
    return found
