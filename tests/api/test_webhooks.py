"""Administrators manage webhooks by the API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import limits
from mainsheet.models.database import Database
from mainsheet.models.webhook import MAX_SECRETS, WebhookSecret
from mainsheet.models.webhook_delivery import WebhookDeliveryStatus
from testbed.ask import Ask
from testbed.world import World, make_webhook, make_webhook_delivery

URL = "https://hooks.example/in?token=t"
FILTER = """{ actions jobIds subjectIds actorIds teamIds since until }"""
SHOWN = f"""webhook {{ id url description isEnabled disabledReason revision filter {FILTER} createdBy {{ id }}
  lastDeliveredCursor deliveries {{ totalCount }} }}"""
FIELDS = {
    "createWebhook": f"{SHOWN} secret",
    "updateWebhook": SHOWN,
    "deleteWebhook": "deletedWebhookId",
    "rotateWebhookSecret": "webhook { id } secret",
    "testWebhook": "deliveries { id attempt status webhook { id } event { id action subjectId } nextAttemptAt at }",
    "redeliverWebhook": "deliveries { id status }",
}
SEEN = f"{{ webhooks {{ totalCount nodes {{ id url filter {FILTER} }} }} }}"
ONE = "query ($id: ID!) { webhook(id: $id) { id } node(id: $id) { id } }"
EVENTS = """{ events(last: 1) { nodes { action subjectId subjectLabel message actor { id }
  subject { id } changes { path before { ... on TextValue { text } } after { ... on TextValue { text } } } } } }"""


async def run(ask: Ask, actor: Any, name: str, **values: Any) -> dict[str, Any]:
    input_type = f"{name[0].upper()}{name[1:]}Input!"
    query = f"""mutation ($input: {input_type}) {{ {name}(input: $input) {{ {FIELDS[name]}
      userErrors {{ code message path ... on QuotaExceededError {{ quota }} }} }} }}"""
    answer: dict[str, Any] = (await ask(actor, query, input=values))[name]
    return answer


async def done(ask: Ask, actor: Any, name: str, **values: Any) -> dict[str, Any]:
    answer = await run(ask, actor, name, **values)
    assert answer.pop("userErrors") == []
    return answer


async def errors(ask: Ask, actor: Any, name: str, **values: Any) -> list[tuple[str, list[str]]]:
    answer = await run(ask, actor, name, **values)
    return [(each["code"], each["path"]) for each in answer["userErrors"]]


async def newest_event(ask: Ask, world: World) -> dict[str, Any]:
    event: dict[str, Any] = (await ask(world.admin, EVENTS))["events"]["nodes"][0]
    return event


async def secrets(database: Database) -> list[WebhookSecret]:
    async with AsyncSession(database.reads) as session:
        return list(await session.scalars(select(WebhookSecret).order_by(WebhookSecret.id)))


async def test_a_webhook_is_created_changed_and_deleted(ask: Ask, world: World) -> None:
    wanted = {"actions": ["JOB_UPDATED"], "jobIds": ["JB1"], "since": "2026-01-01T02:00:00+02:00"}

    created = await done(ask, world.admin, "createWebhook", url=URL, description="Chat", filter=wanted)

    webhook, nothing = created["webhook"], dict.fromkeys(("subjectIds", "actorIds", "teamIds", "until"))
    assert created["secret"].startswith("whsec_")
    assert webhook["filter"] == {**wanted, "since": "2026-01-01T00:00:00+00:00", **nothing}
    assert (webhook["isEnabled"], webhook["disabledReason"], webhook["revision"]) == (True, None, 1)
    assert webhook["createdBy"] == {"id": world.admin.id}
    event = await newest_event(ask, world)
    assert (event["action"], event["subject"], event["subjectLabel"]) == (
        "WEBHOOK_CREATED",
        {"id": webhook["id"]},
        "https://hooks.example/…",
    )

    own = {"webhookId": webhook["id"]}
    changed = await done(ask, world.admin, "updateWebhook", **own, isEnabled=False, filter=None, message="noisy")
    assert (changed["webhook"]["isEnabled"], changed["webhook"]["filter"]) == (False, None)
    assert changed["webhook"]["revision"] == 2
    event = await newest_event(ask, world)
    assert (event["action"], event["message"]) == ("WEBHOOK_UPDATED", "noisy")
    assert {each["path"][0]: (each["before"], each["after"]) for each in event["changes"]}["isEnabled"] == (
        {"text": "true"},
        {"text": "false"},
    )
    assert await errors(ask, world.admin, "updateWebhook", **own, url="https://a.example", expectedRevision=1) == [
        ("STALE_REVISION", ["expectedRevision"])
    ]

    assert await done(ask, world.admin, "deleteWebhook", **own) == {"deletedWebhookId": webhook["id"]}
    assert await errors(ask, world.admin, "deleteWebhook", **own) == [("WEBHOOK_NOT_FOUND", ["webhookId"])]
    assert (await newest_event(ask, world))["action"] == "WEBHOOK_DELETED"


async def test_events_show_no_path_and_no_query_of_a_url(ask: Ask, world: World) -> None:
    created = await done(ask, world.admin, "createWebhook", url="https://hooks.example:8443/t/secret?token=secret")

    await done(ask, world.admin, "updateWebhook", webhookId=created["webhook"]["id"], url="https://chat.example/secret")

    event = await newest_event(ask, world)
    assert event["subjectLabel"] == "https://chat.example/…"
    assert event["changes"] == [
        {
            "path": ["url"],
            "before": {"text": "https://hooks.example:8443/…"},
            "after": {"text": "https://chat.example/…"},
        }
    ]


async def test_administrators_and_auditors_see_webhooks_and_their_events(ask: Ask, world: World) -> None:
    webhook_id = (await done(ask, world.admin, "createWebhook", url=URL))["webhook"]["id"]

    for actor in (world.admin, world.auditor):
        assert (await ask(actor, SEEN))["webhooks"]["totalCount"] == 1
        assert (await ask(actor, ONE, id=webhook_id))["webhook"] == {"id": webhook_id}
        assert (await newest_event(ask, world))["subjectId"] == webhook_id
    for actor in (world.team_admin, world.foreign.admin):
        assert await ask(actor, SEEN) == {"webhooks": {"totalCount": 0, "nodes": []}}
        assert await ask(actor, ONE, id=webhook_id) == {"webhook": None, "node": None}
        assert (await ask(actor, EVENTS))["events"]["nodes"] == []
    assert await errors(ask, world.foreign.admin, "deleteWebhook", webhookId=webhook_id) == [
        ("WEBHOOK_NOT_FOUND", ["webhookId"])
    ]


async def test_an_idempotency_key_shows_the_secret_once(ask: Ask, world: World, database: Database) -> None:
    first = await done(ask, world.admin, "createWebhook", url=URL, idempotencyKey="k")
    again = await done(ask, world.admin, "createWebhook", url=URL, idempotencyKey="k")
    assert again == {**first, "secret": None}

    own = {"webhookId": first["webhook"]["id"], "idempotencyKey": "another"}
    rotated = await done(ask, world.admin, "rotateWebhookSecret", **own)
    again = await done(ask, world.admin, "rotateWebhookSecret", **own)
    assert again == {**rotated, "secret": None}
    assert [each.secret for each in await secrets(database)] == [first["secret"], rotated["secret"]]


async def test_a_repeated_request_sends_nothing_again(ask: Ask, world: World) -> None:
    own = {"webhookId": (await done(ask, world.admin, "createWebhook", url=URL))["webhook"]["id"]}
    tested, again = [await done(ask, world.admin, "testWebhook", **own, idempotencyKey="test") for _ in range(2)]
    assert again == tested
    newest = await newest_event(ask, world)

    own["deliveryIds"] = [each["id"] for each in tested["deliveries"]]
    sent, again = [await done(ask, world.admin, "redeliverWebhook", **own, idempotencyKey="send") for _ in range(2)]
    assert again == sent
    event = await newest_event(ask, world)
    assert event["action"] == "WEBHOOK_REDELIVERED"
    await done(ask, world.admin, "redeliverWebhook", **own, idempotencyKey="send")
    assert await newest_event(ask, world) == event != newest
    reused = await errors(ask, world.admin, "testWebhook", webhookId=own["webhookId"], idempotencyKey="send")
    assert reused == [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example",
        "hooks.example/in",
        "https:///in",
        "https://user@hooks.example",
        "https://:password@hooks.example",
        "https://hooks.example#part",
        "https://hooks.example:99999",
        "https://[::1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://256.0.0.1",
        "javascript:alert(1)",
    ],
)
async def test_a_url_that_nothing_can_be_sent_to_is_refused(ask: Ask, world: World, url: str) -> None:
    assert {code for code, _ in await errors(ask, world.admin, "createWebhook", url=url)} == {"URL_NOT_ALLOWED"}


async def test_each_value_beyond_its_limits_is_refused(ask: Ask, world: World) -> None:
    too_many = ["JB1"] * (limits.ENTRIES.maximum + 1)
    too_late = "9999-12-31T23:59:59-23:00"
    refused = await errors(
        ask,
        world.admin,
        "createWebhook",
        url="https://hooks.example/" + "x" * 1023,
        description="x" * 1024,
        message="x" * 1024,
        filter={"jobIds": too_many, "teamIds": ["no id"], "actions": ["JOB_CREATED"] * 101, "until": too_late},
    )

    assert sorted(refused) == [
        ("INVALID", ["description"]),
        ("INVALID", ["filter", "actions"]),
        ("INVALID", ["filter", "jobIds"]),
        ("INVALID", ["filter", "teamIds", "0"]),
        ("INVALID", ["filter", "until"]),
        ("INVALID", ["message"]),
        ("INVALID", ["url"]),
    ]
    assert await errors(ask, world.admin, "createWebhook", url="https://hooks.example/ü") == [("INVALID", ["url"])]


async def test_an_organization_has_a_limited_number_of_webhooks(ask: Ask, world: World) -> None:
    for _ in range(limits.WEBHOOKS):
        await done(ask, world.admin, "createWebhook", url=URL)

    answer = await run(ask, world.admin, "createWebhook", url=URL)

    (error,) = answer["userErrors"]
    assert (error["code"], error["quota"], error["path"]) == ("QUOTA_EXCEEDED", limits.WEBHOOKS, [])
    await done(ask, world.foreign.admin, "createWebhook", url=URL)  # another organization


async def test_earlier_secrets_stay_valid_for_the_overlap(ask: Ask, world: World, database: Database) -> None:
    created = await done(ask, world.admin, "createWebhook", url=URL)
    own = {"webhookId": created["webhook"]["id"]}

    rotated = await done(ask, world.admin, "rotateWebhookSecret", **own, overlapSeconds=60)
    old, new = await secrets(database)
    assert (old.secret, new.secret) == (created["secret"], rotated["secret"])
    assert old.expires_at is not None
    assert (old.expires_at - new.created_at).total_seconds() == 60
    assert new.expires_at is None

    for _ in range(MAX_SECRETS):
        await done(ask, world.admin, "rotateWebhookSecret", **own)
    assert len(await secrets(database)) == MAX_SECRETS
    for seconds in (-1, 30 * 86_400 + 1):
        refused = await errors(ask, world.admin, "rotateWebhookSecret", **own, overlapSeconds=seconds)
        assert refused == [("INVALID", ["overlapSeconds"])]


async def test_a_test_adds_an_event_and_its_delivery(ask: Ask, world: World) -> None:
    webhook_id = (await done(ask, world.admin, "createWebhook", url=URL, isEnabled=False))["webhook"]["id"]

    (delivery,) = (await done(ask, world.admin, "testWebhook", webhookId=webhook_id))["deliveries"]

    assert (delivery["status"], delivery["attempt"], delivery["webhook"]) == ("PENDING", 0, {"id": webhook_id})
    assert (delivery["event"]["action"], delivery["event"]["subjectId"]) == ("WEBHOOK_TESTED", webhook_id)
    assert delivery["nextAttemptAt"] == delivery["at"]


async def test_only_deliveries_of_the_webhook_can_be_sent_again(ask: Ask, world: World) -> None:
    webhook_id, other_id = [(await done(ask, world.admin, "createWebhook", url=URL))["webhook"]["id"] for _ in range(2)]
    (own,) = (await done(ask, world.admin, "testWebhook", webhookId=webhook_id))["deliveries"]
    (others,) = (await done(ask, world.admin, "testWebhook", webhookId=other_id))["deliveries"]

    redelivered = await done(ask, world.admin, "redeliverWebhook", webhookId=webhook_id, deliveryIds=[own["id"]])
    assert redelivered["deliveries"] == [{"id": own["id"], "status": "PENDING"}]
    ids = [own["id"], others["id"], "\0"]
    assert await errors(ask, world.admin, "redeliverWebhook", webhookId=webhook_id, deliveryIds=ids) == [
        ("WEBHOOK_DELIVERY_NOT_FOUND", ["deliveryIds", "1"]),
        ("WEBHOOK_DELIVERY_NOT_FOUND", ["deliveryIds", "2"]),
    ]
    for count in (0, 101):
        many = [own["id"]] * count
        refused = await errors(ask, world.admin, "redeliverWebhook", webhookId=webhook_id, deliveryIds=many)
        assert refused == [("INVALID", ["deliveryIds"])]


async def test_deliveries_are_listed_by_their_events_and_statuses(ask: Ask, world: World, database: Database) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        webhook = await make_webhook(session, world.organization, world.admin)
        made = {
            status: await make_webhook_delivery(session, webhook, status=status, position=f"{index:036}")
            for index, status in enumerate(WebhookDeliveryStatus)
        }
        other = await make_webhook(session, world.organization, world.admin)
        await make_webhook_delivery(session, other)
    query = """query ($id: ID!, $statuses: [WebhookDeliveryStatus!]) { webhook(id: $id) {
      deliveries(statuses: $statuses, first: 10) { totalCount nodes { id status event { id } } } } }"""

    async def listed(statuses: list[str] | None) -> list[str]:
        found = (await ask(world.auditor, query, id=webhook.id, statuses=statuses))["webhook"]["deliveries"]
        assert found["totalCount"] == len(found["nodes"])
        return [each["id"] for each in found["nodes"]]

    newest_first = [each.id for each in reversed(made.values())]
    assert await listed(None) == newest_first
    assert await listed(["FAILED", "PENDING"]) == [
        made[WebhookDeliveryStatus(each)].id for each in ("FAILED", "PENDING")
    ]
    assert await listed([]) == []


ENABLED = """mutation ($id: ID!, $dry: Boolean!) {
  updateWebhook(input: {webhookId: $id, isEnabled: true, dryRun: $dry}) {
    webhook { isEnabled deliveries { nodes { id status attempt nextAttemptAt at } } } } }"""


async def test_a_dry_run_shows_when_deliveries_would_be_sent(ask: Ask, world: World, database: Database) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    times: dict[str, Any] = {"attempt": 3, "at": past, "next_attempt_at": past}
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        webhook = await make_webhook(session, world.organization, world.admin, is_enabled=False, failing_since=past)
        for index, status in enumerate(WebhookDeliveryStatus):
            await make_webhook_delivery(session, webhook, status=status, position=f"{index:036}", **times)

    dry = (await ask(world.admin, ENABLED, id=webhook.id, dry=True))["updateWebhook"]["webhook"]
    real = (await ask(world.admin, ENABLED, id=webhook.id, dry=False))["updateWebhook"]["webhook"]

    for one in (dry, real):
        failed, succeeded, pending = one["deliveries"]["nodes"]
        assert (failed["status"], failed["attempt"], failed["at"]) == ("PENDING", 0, failed["nextAttemptAt"])
        assert (succeeded["status"], succeeded["nextAttemptAt"]) == ("SUCCEEDED", past.isoformat())
        assert (pending["status"], pending["attempt"]) == ("PENDING", 3)
        assert failed["nextAttemptAt"] == pending["nextAttemptAt"] > past.isoformat()
