"""The reason that a caller gives for a change is kept in the events of the change."""

from typing import Any

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_dry_run import everything
from tests.api.test_run_commands import do, report

EVENTS = "query ($filter: EventFilter!) { events(filter: $filter) { nodes { action message } } }"
LONG = "x" * 1024
DELIVERIES = "deliveries { id }"


async def explained(ask: Ask, world: World, **conditions: Any) -> list[tuple[str, str | None]]:
    nodes = (await ask(world.admin, EVENTS, filter=conditions))["events"]["nodes"]
    return [(each["action"], each["message"]) for each in nodes]


async def change(ask: Ask, world: World, name: str, selection: str = "__typename", **values: Any) -> dict[str, Any]:
    answer = await do(ask, world.admin, name, selection, **values)
    assert answer.pop("userErrors") == []
    return answer


async def test_events_of_a_run_keep_the_reasons(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    made = await change(ask, world, "triggerRun", "run { id }", jobId=job_id, hold=True, message="for March")
    run_id = made["run"]["id"]
    await change(ask, world, "releaseRun", runId=run_id, message="data arrived")
    await change(ask, world, "cancelRun", runId=run_id, message="wrong month")
    await change(ask, world, "deleteRun", runId=run_id, message="a test")

    assert await explained(ask, world, subjectIds=[run_id]) == [
        ("RUN_TRIGGERED", "for March"),
        ("RUN_RELEASED", "data arrived"),
        ("RUN_CANCEL_REQUESTED", "wrong month"),
        ("RUN_FINISHED", "wrong month"),
        ("RUN_DELETED", "a test"),
    ]


async def test_events_of_roles_in_a_team_keep_the_reasons(ask: Ask, world: World) -> None:
    ids = {"teamId": world.platform.id, "actorId": world.outsider.id}
    await change(ask, world, "setTeamRole", **ids, role="VIEWER", message="on call")
    await change(ask, world, "removeFromTeam", **ids, message="off call")

    assert await explained(ask, world, subjectIds=[world.platform.id]) == [
        ("TEAM_ROLE_SET", "on call"),
        ("TEAM_ROLE_REMOVED", "off call"),
    ]


async def test_events_of_a_webhook_keep_the_reasons(ask: Ask, world: World) -> None:
    url = "https://hooks.example/"
    webhook_id = (await change(ask, world, "createWebhook", "webhook { id }", url=url))["webhook"]["id"]
    of = {"webhookId": webhook_id}
    await change(ask, world, "rotateWebhookSecret", **of, message="leaked")
    sent = await change(ask, world, "testWebhook", DELIVERIES, **of, message="new receiver")
    ids = [each["id"] for each in sent["deliveries"]]
    await change(ask, world, "redeliverWebhook", DELIVERIES, **of, deliveryIds=ids, message="it was down")

    assert (await explained(ask, world, subjectIds=[webhook_id]))[1:] == [
        ("WEBHOOK_SECRET_ROTATED", "leaked"),
        ("WEBHOOK_TESTED", "new receiver"),
        ("WEBHOOK_REDELIVERED", "it was down"),
    ]


async def test_a_reason_over_its_limit_is_refused(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)
    run_id = (await change(ask, world, "triggerRun", "run { id }", jobId=job_id))["run"]["id"]
    hook = await change(ask, world, "createWebhook", "webhook { id }", url="https://hooks.example/")
    role = {"teamId": world.data_eng.id, "actorId": world.viewer.id}
    of_hook = {"webhookId": hook["webhook"]["id"]}
    inputs = {
        "triggerRun": {"jobId": job_id},
        **{each: {"runId": run_id} for each in ("releaseRun", "cancelRun", "deleteRun")},
        "setTeamRole": {**role, "role": "ADMIN"},
        "removeFromTeam": role,
        "eraseMember": {"memberId": world.viewer.id},
        "rotateWebhookSecret": of_hook,
        "testWebhook": of_hook,
        "redeliverWebhook": {**of_hook, "deliveryIds": []},
        "updateOrganization": {"name": "Harbour"},
    }
    before = await everything(database)

    answers = {name: await do(ask, world.admin, name, "__typename", **of, message=LONG) for name, of in inputs.items()}

    refused = {name: [tuple(each["path"]) for each in answer["userErrors"]] for name, answer in answers.items()}
    assert {name: paths for name, paths in refused.items() if ("message",) not in paths} == {}
    assert await everything(database) == before


async def test_texts_of_runs_are_stored_in_normal_form(ask: Ask, world: World) -> None:
    text = "Fu\u0308r Ma\u0308rz"
    job_id = await ask.create_job(world.contributor, world)
    parameter = {"name": f" {text} ", "value": text}
    made = await change(
        ask,
        world,
        "triggerRun",
        "run { id parameters { name value } }",
        jobId=job_id,
        message=text,
        parameters=[parameter],
    )
    run_id = made["run"]["id"]
    await do(ask, world.admin, "claimRuns", "__typename", clusterIds=[world.cluster.id])
    failed = await report(ask, world, run_id, "FAILED", error={"message": text, "code": f" {text}"}, logUrl=" file:/x ")

    assert made["run"]["parameters"] == [{"name": "Für März", "value": text}]  # a value is for a program
    assert failed["run"]["error"] == {"code": "Für März", "message": "Für März"}
    assert (await explained(ask, world, subjectIds=[run_id]))[0] == ("RUN_TRIGGERED", "Für März")
