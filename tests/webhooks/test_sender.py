"""Events reach the receivers of webhooks: signed, in order, and at least once."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.retention import Retention, prune
from mainsheet.models.webhook import WebhookSecret
from mainsheet.models.webhook_delivery import Outcome, WebhookDeliveryStatus
from mainsheet.resolvers.commands import webhook_sending
from mainsheet.resolvers.commands.webhook_sending import due, hold_lease, read_feeds, record
from mainsheet.server.webhooks import sender
from testbed.ask import Ask
from testbed.world import World, make_webhook, make_webhook_delivery
from tests.api.test_webhooks import done
from tests.webhooks.conftest import (
    FEED,
    MINUTE,
    PAST,
    PATIENCE,
    Receiver,
    created,
    deliveries,
    end_lease,
    read_whole_feed,
    renamed,
    sending,
    shown,
    until,
)


async def test_a_message_is_a_signed_cloud_event(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, secret = await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await renamed(ask, world, job_id, "Sales")

    async with sending(database):
        first, second = await receiver.take(2)
        await until(database, "SUCCEEDED", "SUCCEEDED")

    (_, event) = (await ask(world.admin, FEED, actions=["JOB_CREATED", "JOB_UPDATED"]))["events"]["nodes"]
    second.verify(secret)
    assert second.headers["webhook-id"] == event["id"]
    assert second.headers["Content-Type"].startswith("application/cloudevents+json")
    message = second.message
    data, time = message.pop("data"), message.pop("time")
    assert time.endswith("+00:00")
    assert message.pop("sequence") > first.message["sequence"]
    assert message == {
        "specversion": "1.0",
        "id": event["id"],
        "source": f"/organizations/{world.organization.id}",
        "type": "mainsheet.JOB_UPDATED",
        "subject": job_id,
        "datacontenttype": "application/json",
        "cursor": event["cursor"],
    }
    (change,) = data.pop("changes")
    assert (change["path"], change["kind"], change["after"]) == (["name"], "CHANGED", {"text": "Sales"})
    assert (data["action"], data["jobId"], data["actorId"]) == ("JOB_UPDATED", job_id, world.contributor.id)
    assert (await shown(ask, world, webhook_id))["lastDeliveredCursor"] == event["cursor"]


async def test_events_of_a_job_are_sent_in_order_though_others_are_not_held_up(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    held = asyncio.Event()

    async def answer(received: Any) -> web.StreamResponse:
        if received.message["subject"] == stuck:
            await held.wait()
        return web.Response()

    receiver.answer = answer
    await created(ask, world, receiver, filter={"actions": ["JOB_UPDATED"]})
    stuck, other = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("stuck", "other")]
    await renamed(ask, world, stuck, "1", "2")
    await renamed(ask, world, other, "3", "4")

    async with sending(database):
        names = [each.message["data"]["changes"][0]["after"]["text"] for each in await receiver.take(3)]
        held.set()
        last = await receiver.next()

    assert [each for each in names if each in "34"] == ["3", "4"]
    assert "1" in names
    assert last.message["data"]["changes"][0]["after"]["text"] == "2"


async def test_the_cursors_of_messages_are_in_the_order_of_the_feed(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    async with sending(database):
        await renamed(ask, world, job_id, *map(str, range(20)))
        received = await receiver.take(21)

    events = (await ask(world.admin, FEED, actions=["JOB_CREATED", "JOB_UPDATED"]))["events"]["nodes"]
    assert [each.message["cursor"] for each in received] == [each["cursor"] for each in events]
    sequences = [each.message["sequence"] for each in received]
    assert sequences == sorted(sequences)


async def test_a_webhook_gets_what_its_filter_matches_since_its_creation(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    before = await ask.create_job(world.contributor, world)
    await created(ask, world, receiver, filter={"jobIds": [before], "since": "2026-01-01T00:00:00Z"})
    await ask.create_job(world.contributor, world, jobKey="other")
    await renamed(ask, world, before, "Sales")

    async with sending(database):
        (received,) = await receiver.take(1)
        await until(database, "SUCCEEDED")

    assert (received.message["type"], received.message["subject"]) == ("mainsheet.JOB_UPDATED", before)


async def test_earlier_secrets_sign_until_they_expire(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, old = await created(ask, world, receiver)
    new = (await done(ask, world.admin, "rotateWebhookSecret", webhookId=webhook_id))["secret"]
    job_id = await ask.create_job(world.contributor, world)

    async with sending(database):
        received = await receiver.next()
        async with AsyncSession(database.writes) as session, session.begin():
            is_old = WebhookSecret.expires_at.is_not(None)
            await session.execute(update(WebhookSecret).where(is_old).values(expires_at=PAST))
        await renamed(ask, world, job_id, "Sales")
        later = await receiver.next()

    received.verify(old)
    received.verify(new)
    assert len(later.headers["webhook-signature"].split(" ")) == 1
    later.verify(new)


async def test_only_one_process_sends_at_a_time(database: Database) -> None:
    assert await hold_lease(database, "one", MINUTE)
    assert not await hold_lease(database, "two", MINUTE)
    assert await hold_lease(database, "one", MINUTE)
    await end_lease(database)
    assert await hold_lease(database, "two", MINUTE)
    assert not await hold_lease(database, "one", MINUTE)


async def test_nothing_is_sent_to_a_webhook_that_is_deleted_meanwhile(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted, _ = await created(ask, world, receiver, filter={"actions": ["JOB_CREATED"]})
    _, secret = await created(ask, world, receiver, filter={"actions": ["JOB_UPDATED"]})
    job_id = await ask.create_job(world.contributor, world)
    read = webhook_sending.valid_secrets

    async def delete_then_read(*arguments: Any) -> Any:
        monkeypatch.setattr(sender, "valid_secrets", read)
        await done(Ask(database), world.admin, "deleteWebhook", webhookId=deleted)
        await renamed(Ask(database), world, job_id, "Sales")
        return await read(*arguments)

    monkeypatch.setattr(sender, "valid_secrets", delete_then_read)
    async with sending(database):
        (await receiver.next()).verify(secret)
        await until(database, "SUCCEEDED")

    assert receiver.requests.empty()


async def test_another_sender_continues_when_one_stops(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    await created(ask, world, receiver)
    async with sending(database):
        job_id = await ask.create_job(world.contributor, world)
        await until(database, "SUCCEEDED")
    async with sending(database):
        await renamed(ask, world, job_id, "Sales")
        await until(database, "SUCCEEDED", "SUCCEEDED")

    assert [each.message["type"] for each in await receiver.take(2)] == [
        "mainsheet.JOB_CREATED",
        "mainsheet.JOB_UPDATED",
    ]


async def test_a_filter_that_changes_while_the_feed_is_read_counts(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id, _ = await created(ask, world, receiver, filter={"actions": ["RUN_FINISHED"]})
    job_id = await ask.create_job(world.contributor, world)
    read = webhook_sending._next_events  # noqa: SLF001 the change comes right before it

    async def change_then_read(*arguments: Any) -> Any:
        """Change the filter after the webhook was read, and add an event that only the new one matches."""
        monkeypatch.setattr(webhook_sending, "_next_events", read)
        changed = {"actions": ["JOB_UPDATED"]}
        await done(Ask(database), world.admin, "updateWebhook", webhookId=webhook_id, filter=changed)
        await renamed(Ask(database), world, job_id, "Sales")
        return await read(*arguments)

    monkeypatch.setattr(webhook_sending, "_next_events", change_then_read)
    for _ in ("before the change", "after it"):
        await read_feeds(database)

    (delivery,) = await deliveries(database)
    assert delivery.webhook_id == webhook_id


async def test_old_deliveries_are_deleted_once_they_are_finished(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    await created(ask, world, receiver)
    for key in ("one", "two"):
        await ask.create_job(world.contributor, world, jobKey=key)
    await read_whole_feed(database)
    first, second = await due(database)
    await record(database, first, Outcome(200))

    await prune(database, Retention(webhook_deliveries=MINUTE))
    assert len(await deliveries(database)) == 2
    await prune(database, Retention(webhook_deliveries=-MINUTE))

    assert [each.id for each in await deliveries(database)] == [second.id]


async def test_a_test_is_sent_before_what_waits(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sending, "AT_ONCE", 2)
    webhook_id, _ = await created(ask, world, receiver)
    for key in ("one", "two", "three"):
        await ask.create_job(world.contributor, world, jobKey=key)
    await read_whole_feed(database)

    (test,) = (await done(ask, world.admin, "testWebhook", webhookId=webhook_id))["deliveries"]

    assert (await due(database))[0].id == test["id"]


async def test_a_pending_delivery_that_is_requested_keeps_its_order(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await renamed(ask, world, job_id, "Sales")
    await read_whole_feed(database)
    first, second = await deliveries(database)
    await record(database, (await due(database))[0], Outcome(503, "Not now."))

    await done(ask, world.admin, "redeliverWebhook", webhookId=webhook_id, deliveryIds=[second.id])
    assert await due(database) == []
    await done(ask, world.admin, "redeliverWebhook", webhookId=webhook_id, deliveryIds=[first.id])
    assert [each.id for each in await due(database)] == [first.id]


async def test_organizations_take_turns(world: World, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sending, "OF_ORGANIZATION", 3)
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        busy = [await make_webhook(session, world.organization, world.admin) for _ in range(2)]
        quiet = await make_webhook(session, world.foreign.organization, world.foreign.admin)
        for webhook, count in ((busy[0], 5), (busy[1], 5), (quiet, 2)):
            for index in range(count):
                own = {"status": WebhookDeliveryStatus.PENDING, "next_attempt_at": PAST, "order_key": f"JB{index}"}
                await make_webhook_delivery(session, webhook, **own, position=f"{index:036}")

    found = [each.webhook_id for each in await due(database)]

    turns = [found[:2], found[2:4], found[4:]]
    assert [(each.count(quiet.id), len(each)) for each in turns] == [(1, 2), (1, 2), (0, 1)]
    assert {busy[0].id, busy[1].id} < {*found}


async def test_a_new_event_and_a_shutdown_wait_for_no_gathering(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "GATHER_SECONDS", 3600)
    await created(ask, world, receiver)
    async with asyncio.timeout(PATIENCE), sending(database):
        for key in ("first", "second"):
            await ask.create_job(world.contributor, world, jobKey=key)
            await receiver.next()
