"""Webhooks go on after a clock that ran ahead was set back, as if the rows that it left were of now."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from mainsheet.models.database import Database
from mainsheet.models.webhook_delivery import WebhookDelivery
from mainsheet.models.webhook_lease import WebhookLease
from mainsheet.resolvers.commands.webhook_sending import hold_lease
from testbed.ask import Ask
from testbed.world import World
from tests.webhooks.conftest import MINUTE, Receiver, created, read_whole_feed, renamed, sending, until

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
