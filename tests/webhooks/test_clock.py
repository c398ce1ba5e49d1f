"""Webhooks go on after a clock that ran ahead was set back, as if the rows that it left were of now."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.webhook import MAX_SECRETS, Webhook, WebhookSecret
from mainsheet.models.webhook_delivery import RETRIES, Outcome, WebhookDelivery
from mainsheet.models.webhook_lease import WebhookLease
from mainsheet.resolvers.commands.webhook_sending import due, hold_lease, record, valid_secrets
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_webhooks import done
from tests.webhooks.conftest import (
    MINUTE,
    Receiver,
    created,
    deliveries,
    make_due,
    read_whole_feed,
    renamed,
    sending,
    until,
)

HOUR = timedelta(hours=1)


async def test_a_sender_that_died_ahead_of_time_is_replaced(database: Database) -> None:
    assert await hold_lease(database, "dead", MINUTE)
    async with database.writes.begin() as connection:
        await connection.execute(update(WebhookLease).values(expires_at=datetime.now(UTC) + HOUR))

    assert await hold_lease(database, "two", MINUTE)
    assert not await hold_lease(database, "dead", MINUTE)


async def test_deliveries_do_not_wait_until_the_clock_has_caught_up(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await read_whole_feed(database)
    ahead = datetime.now(UTC) + HOUR
    async with database.writes.begin() as connection:
        await connection.execute(update(WebhookDelivery).values(at=ahead, next_attempt_at=ahead))

    async with sending(database):
        await renamed(ask, world, job_id, "Sales")
        await until(database, "SUCCEEDED", "SUCCEEDED")


async def test_what_fails_behind_the_clock_is_sent_when_enabled_again(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    await ask.create_job(world.contributor, world)
    await read_whole_feed(database)
    async with database.writes.begin() as connection:
        await connection.execute(update(Webhook).values(failing_since=datetime.now(UTC) + HOUR))
    for _ in range(len(RETRIES) + 1):
        (one,) = await due(database)
        await record(database, one, Outcome(503, "Not now."))
        await make_due(database)

    for is_enabled in (False, True):
        await done(ask, world.admin, "updateWebhook", webhookId=webhook_id, isEnabled=is_enabled)

    assert [each.status for each in await deliveries(database)] == ["PENDING"]


async def test_the_newest_secret_stays_the_first_one(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    async with database.writes.begin() as connection:  # as if it had been created by a clock that ran ahead
        await connection.execute(update(WebhookSecret).values(id=new_id("WS", datetime.now(UTC) + HOUR)))

    made = [await done(ask, world.admin, "rotateWebhookSecret", webhookId=webhook_id) for _ in range(MAX_SECRETS)]

    assert await valid_secrets(database, webhook_id) == [each["secret"] for each in reversed(made)]
