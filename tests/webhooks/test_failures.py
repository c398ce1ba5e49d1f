"""What happens to deliveries that fail or wait, and to their webhooks."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.retention import Retention, prune
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import RETRIES, Outcome
from mainsheet.resolvers.commands import webhook_sending
from mainsheet.resolvers.commands.webhook_sending import due, read_feeds, record
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_webhooks import done
from tests.webhooks.conftest import (
    FEED,
    MINUTE,
    Receiver,
    created,
    deliveries,
    fail_since,
    make_due,
    read_whole_feed,
    renamed,
    sending,
    shown,
    until,
    until_ended,
    webhook_row,
)


class Attempts(Instrumentation):
    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def attempted(self, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)


async def test_a_failed_delivery_is_retried_with_a_new_signature(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, secret = await created(ask, world, receiver)
    await ask.create_job(world.contributor, world)
    receiver.will_answer(500)

    async with sending(database):
        first = await receiver.next()
        await until_ended(database, (await deliveries(database))[0].id, 1)
        failed = await shown(ask, world, webhook_id)
        receiver.will_answer(204)
        await make_due(database)
        second = await receiver.next()
        await until(database, "SUCCEEDED")

    (delivery,) = failed["deliveries"]["nodes"]
    assert (delivery["status"], delivery["attempt"], delivery["responseStatus"]) == ("PENDING", 1, 500)
    assert delivery["error"] == "The receiver answered with the status 500."
    assert failed["lastDeliveredCursor"] < delivery["event"]["cursor"]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    second.verify(secret)
    assert (await webhook_row(database, webhook_id)).failing_since is None


async def test_a_delivery_is_given_up_after_the_last_retry(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await renamed(ask, world, job_id, "Sales")
    await read_whole_feed(database)

    waits = []
    for _ in RETRIES:
        (one,) = await due(database)
        await record(database, one, Outcome(503, "no"))
        await record(database, one, Outcome(200))  # another process's, late
        first = (await deliveries(database))[0]
        assert first.next_attempt_at is not None
        waits.append(first.next_attempt_at - first.at)
        assert await due(database) == []  # the second event waits for the first one
        await make_due(database)
    (one,) = await due(database)
    await record(database, one, Outcome(None, "no"))

    assert tuple(waits) == RETRIES
    first, second = await deliveries(database)
    assert (first.status, first.attempt, first.next_attempt_at) == ("FAILED", len(RETRIES) + 1, None)
    assert [each.id for each in await due(database)] == [second.id]
    assert (await webhook_row(database, webhook_id)).is_enabled  # it has failed for hours, not for days


async def test_a_webhook_is_disabled_after_five_days_and_continues_when_enabled(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await renamed(ask, world, job_id, "Sales")
    await read_whole_feed(database)
    for attempt in range(len(RETRIES) + 1):
        (one,) = await due(database)
        await record(database, one, Outcome(503, "Not now."))
        await make_due(database)
        if attempt == 0:
            await fail_since(database, webhook_id, timedelta(days=5))

    disabled = await shown(ask, world, webhook_id)
    assert disabled["isEnabled"] is False
    assert disabled["disabledReason"] == "All deliveries failed for five days. The last error: Not now."
    (event,) = (await ask(world.admin, FEED, actions=["WEBHOOK_DISABLED"]))["events"]["nodes"]
    assert (event["subjectId"], event["actor"], event["message"]) == (webhook_id, None, disabled["disabledReason"])
    assert await due(database) == []
    left = (await ask(world.admin, FEED, after=disabled["lastDeliveredCursor"], actions=["JOB_CREATED"]))["events"]
    assert len(left["nodes"]) == 1

    await done(ask, world.admin, "updateWebhook", webhookId=webhook_id, isEnabled=True)
    async with sending(database):
        assert [each.message["type"] for each in await receiver.take(2)] == [
            "mainsheet.JOB_CREATED",
            "mainsheet.JOB_UPDATED",
        ]
        await until(database, "SUCCEEDED", "SUCCEEDED")
    assert (await shown(ask, world, webhook_id))["disabledReason"] is None


async def test_a_webhook_whose_receiver_is_gone_is_disabled_at_once(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    await ask.create_job(world.contributor, world)
    receiver.will_answer(410)

    async with sending(database):
        await receiver.next()
        await until(database, "FAILED")

    assert (await shown(ask, world, webhook_id))["isEnabled"] is False


async def test_tests_and_redeliveries_reach_a_disabled_webhook_once(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, secret = await created(ask, world, receiver, isEnabled=False)
    await created(ask, world, receiver, filter={"actions": ["WEBHOOK_TESTED"]})  # it gets none of the other
    receiver.will_answer(500)

    async with sending(database):
        (test,) = (await done(ask, world.admin, "testWebhook", webhookId=webhook_id))["deliveries"]
        received = await receiver.next()
        assert (await until_ended(database, test["id"], 1)).status == "FAILED"
        await done(ask, world.admin, "redeliverWebhook", webhookId=webhook_id, deliveryIds=[test["id"]])
        assert (await until_ended(database, test["id"], 2)).status == "FAILED"

    received.verify(secret)
    assert received.message["type"] == "mainsheet.WEBHOOK_TESTED"
    assert [each.webhook_id for each in await deliveries(database)] == [webhook_id]
    assert (await webhook_row(database, webhook_id)).failing_since is None


async def test_a_delivery_of_an_expired_event_fails(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    database.instrumentation.add(attempts := Attempts())
    await created(ask, world, receiver)
    await ask.create_job(world.contributor, world)
    await read_whole_feed(database)
    async with database.writes.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM event")

    async with sending(database):
        (delivery,) = await until(database, "FAILED")

    assert delivery.error == "The event has expired."
    assert receiver.requests.empty()
    assert (delivery.attempt, attempts.outcomes) == (0, [])


async def test_a_webhook_reads_on_when_fewer_deliveries_wait(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sending, "MOST_PENDING", 2)
    monkeypatch.setattr(webhook_sending, "PAGE", 1)
    await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await renamed(ask, world, job_id, *"abcd")

    await read_whole_feed(database)
    assert len(await deliveries(database)) == 3  # one more than the limit stops it
    async with sending(database):
        await until(database, *["SUCCEEDED"] * 5)


async def test_a_webhook_sends_a_limited_number_at_once(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sending, "AT_ONCE", 2)
    for _ in range(2):
        await created(ask, world, receiver)
    for key in ("one", "two", "three"):
        await ask.create_job(world.contributor, world, jobKey=key)
    await read_whole_feed(database)

    found = await due(database)

    assert sorted(Counter(each.webhook_id for each in found).values()) == [2, 2]


async def test_a_webhook_passes_over_events_that_expired(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    await created(ask, world, receiver)
    job_id = await ask.create_job(world.contributor, world)
    await renamed(ask, world, job_id, "lost")
    await prune(database, Retention(events=-MINUTE))
    await renamed(ask, world, job_id, "Sales")

    async with sending(database):
        received = await receiver.next()
        await until(database, "SUCCEEDED")

    assert received.message["data"]["changes"][0]["after"] == {"text": "Sales"}


async def test_what_was_given_up_is_sent_after_a_test_and_a_redelivery(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    webhook_id, _ = await created(ask, world, receiver)
    own = {"webhookId": webhook_id}
    for key in ("one", "two"):
        await ask.create_job(world.contributor, world, jobKey=key)
    await read_feeds(database)
    for _ in range(len(RETRIES) + 1):
        for each in await due(database):
            await record(database, each, Outcome(503, "Not now."))
        await make_due(database)
    await done(ask, world.admin, "updateWebhook", **own, isEnabled=False)
    redelivered = (await deliveries(database))[0]
    await done(ask, world.admin, "redeliverWebhook", **own, deliveryIds=[redelivered.id])
    (one,) = await due(database)
    await record(database, one, Outcome(503, "Not now."))
    for status, error in ((503, "Not now."), (200, None)):
        await done(ask, world.admin, "testWebhook", **own)
        (one,) = await due(database)
        await record(database, one, Outcome(status, error))

    await done(ask, world.admin, "updateWebhook", **own, isEnabled=True)

    found = await deliveries(database)
    assert [each.status for each in found] == ["PENDING", "PENDING", "FAILED", "SUCCEEDED"]
    again = found[:2]
    assert {each.id for each in await due(database)} == {each.id for each in again}
    assert not any(each.is_requested for each in again)
    assert (await webhook_row(database, webhook_id)).failing_since is None


async def test_a_failed_read_of_the_feed_stops_no_other_webhook(
    ask: Ask, world: World, receiver: Receiver, database: Database
) -> None:
    broken, _ = await created(ask, world, receiver)
    other, _ = await created(ask, world, receiver)
    async with AsyncSession(database.writes) as session, session.begin():
        (await session.get_one(Webhook, broken)).filter = {"actions": ["NO_ACTION"]}
    await ask.create_job(world.contributor, world)

    async with sending(database):
        await receiver.next()
        (delivery,) = await until(database, "SUCCEEDED")

    assert delivery.webhook_id == other


async def test_a_webhook_whose_filter_matches_few_events_reads_a_limited_number(
    ask: Ask, world: World, receiver: Receiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sending, "MOST_READ", 2)
    webhook_id, _ = await created(ask, world, receiver, filter={"actions": ["JOB_UPDATED"]})
    job_ids = [await ask.create_job(world.contributor, world, jobKey=f"job-{index}") for index in range(4)]
    for job_id in job_ids[:2]:
        await renamed(ask, world, job_id, "Sales")
    events = (await ask(world.admin, FEED))["events"]["nodes"]

    read_to = []
    while await read_feeds(database):
        read_to.append((await webhook_row(database, webhook_id)).read_id)

    ids = [each["id"] for each in events]
    first = ids.index(read_to[0])
    assert read_to == ids[first::2][: len(read_to)]
    assert len(read_to) > 1
    assert [each.event_id for each in await deliveries(database)] == [
        each["id"] for each in events if each["action"] == "JOB_UPDATED"
    ]
