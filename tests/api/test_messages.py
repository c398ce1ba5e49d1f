"""The reasons for changes of runs are kept in their events, as those of other changes."""

from typing import Any

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_dry_run import everything
from tests.api.test_run_commands import change, do, report

EVENTS = "query ($filter: EventFilter!) { events(filter: $filter) { nodes { action message } } }"
LONG = "x" * 1024


async def explained(ask: Ask, world: World, **conditions: Any) -> list[tuple[str, str | None]]:
    nodes = (await ask(world.admin, EVENTS, filter=conditions))["events"]["nodes"]
    return [(each["action"], each["message"]) for each in nodes]


async def test_events_of_a_run_keep_the_reasons(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    made = await change(ask, world.admin, "triggerRun", "run { id }", jobId=job_id, hold=True, message="for March")
    run_id = made["run"]["id"]
    await change(ask, world.admin, "releaseRun", runId=run_id, message="data arrived")
    await change(ask, world.admin, "cancelRun", runId=run_id, message="wrong month")
    await change(ask, world.admin, "deleteRun", runId=run_id, message="a test")

    assert await explained(ask, world, subjectIds=[run_id]) == [
        ("RUN_TRIGGERED", "for March"),
        ("RUN_RELEASED", "data arrived"),
        ("RUN_CANCEL_REQUESTED", "wrong month"),
        ("RUN_FINISHED", "wrong month"),
        ("RUN_DELETED", "a test"),
    ]


async def test_a_reason_over_its_limit_is_refused(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)
    run_id = (await change(ask, world.admin, "triggerRun", "run { id }", jobId=job_id))["run"]["id"]
    runs = {name: {"runId": run_id} for name in ("releaseRun", "cancelRun", "deleteRun")}
    inputs = {"triggerRun": {"jobId": job_id}, **runs, "updateOrganization": {"name": "Harbour"}}
    before = await everything(database)

    answers = {name: await do(ask, world.admin, name, "__typename", **of, message=LONG) for name, of in inputs.items()}

    refused = {name: [tuple(each["path"]) for each in answer["userErrors"]] for name, answer in answers.items()}
    assert refused == {each: [("message",)] for each in inputs}
    assert await everything(database) == before


async def test_texts_of_runs_are_stored_in_normal_form(ask: Ask, world: World) -> None:
    text = "Fu\u0308r Ma\u0308rz"
    job_id = await ask.create_job(world.contributor, world)
    parameter = {"name": f" {text} ", "value": text}
    made = await change(
        ask,
        world.admin,
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
