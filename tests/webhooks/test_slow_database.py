"""What the sender does when the database is slow, or can't store how an attempt ended."""

import asyncio

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.resolvers.commands import webhook_sending
from mainsheet.server.webhooks import sender
from mainsheet.server.webhooks.sender import WebhookSender
from testbed.ask import Ask
from testbed.world import World
from tests.webhooks.conftest import Receiver, created, renamed, sending, until

REFUSE = "CREATE UNIQUE INDEX refused ON webhook_delivery (order_key) WHERE status = 'SUCCEEDED' AND order_key = '{}'"
HOUR = 3600


async def test_a_delivery_whose_outcome_is_not_stored_is_not_sent_in_a_loop(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    await created(ask, world, receiver)
    stuck, other = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("stuck", "other")]
    async with sending(database, retry_seconds=HOUR):
        await receiver.take(2)
        await until(database, *["SUCCEEDED"] * 2)
        async with database.writes.begin() as connection:
            await connection.execute(text(REFUSE.format(stuck)))
        await renamed(ask, world, stuck, "not stored")
        first = await receiver.next()
        between = []
        for name in "abcde":
            await renamed(ask, world, other, name)
            between.append(await receiver.next())
        await until(database, "SUCCEEDED", "SUCCEEDED", "PENDING", *["SUCCEEDED"] * 5)
    async with database.writes.begin() as connection:
        await connection.execute(text("DROP INDEX refused"))
    async with sending(database):
        await until(database, *["SUCCEEDED"] * 8)

    assert first.message["subject"] == stuck
    assert {each.message["subject"] for each in between} == {other}
    assert (await receiver.next()).headers["webhook-id"] == first.headers["webhook-id"]


async def test_nothing_is_sent_if_the_lease_ended_while_the_message_was_read(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await created(ask, world, receiver)
    await ask.create_job(world.contributor, world)
    reads = []
    started: asyncio.Future[WebhookSender] = asyncio.get_running_loop().create_future()

    async def end_lease_once(database: Database, webhook_id: str) -> object:
        reads.append(webhook_id)
        if len(reads) == 1:
            (await started)._lease_ends = 0.0  # noqa: SLF001 as if the statements had taken longer than the lease
        return await webhook_sending.valid_secrets(database, webhook_id)

    monkeypatch.setattr(sender, "valid_secrets", end_lease_once)
    async with sending(database) as own:
        started.set_result(own)
        await receiver.next()
        await until(database, "SUCCEEDED")

    assert len(reads) == 2
    assert receiver.requests.empty()
