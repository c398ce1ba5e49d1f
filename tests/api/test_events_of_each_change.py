"""Changes of several objects at once, and those of the command line, have an event for each object."""

from typing import Any

from mainsheet.models.database import Database
from mainsheet.server.auth import tokens
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_provisioning import done
from tests.api.test_run_commands import claim, triggered

FEED = """query ($actions: [EventAction!]) { events(filter: {actions: $actions}) {
  nodes { action subjectId subjectLabel actor { id } changes { path } } } }"""
DELETE = """mutation ($id: ID!) { deleteJob(input: {jobId: $id}) {
  cancelledRuns { id status availableAt finishedAt } userErrors { code } } }"""


async def events(ask: Ask, world: World, *actions: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await ask(world.admin, FEED, actions=actions))["events"]["nodes"]
    return nodes


async def test_a_deleted_jobs_unfinished_runs_finish(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    runs = [await triggered(ask, world, job_id, hold=hold) for hold in (False, True, False)]
    await claim(ask, world, limit=1)

    deleted = (await ask(world.admin, DELETE, id=job_id))["deleteJob"]

    assert deleted["userErrors"] == []
    assert [(each["id"], each["status"], each["availableAt"]) for each in deleted["cancelledRuns"]] == [
        (run_id, "CANCELLED", None) for run_id in runs
    ]
    found = await events(ask, world, "RUN_FINISHED", "JOB_DELETED")
    assert [each["subjectId"] for each in found] == [*runs, job_id]


async def test_a_new_members_roles_have_events(ask: Ask, world: World) -> None:
    teams = [{"teamId": world.data_eng.id, "role": role} for role in ("VIEWER", "ADMIN")]
    member = await done(ask, world.admin, "createMember", email="new@harbor.example", name="New", teams=teams)

    (found,) = await events(ask, world, "TEAM_ROLE_SET")
    assert found["subjectId"] == world.data_eng.id
    assert found["changes"] == [{"path": ["members", member["id"]]}]


async def test_the_command_lines_tokens_have_events(ask: Ask, world: World, database: Database) -> None:
    await tokens.create(database, world.viewer.email, None, "ci")
    (created,) = await events(ask, world, "TOKEN_CREATED")
    assert await tokens.revoke(database, created["subjectId"])
    assert not await tokens.revoke(database, created["subjectId"])

    (revoked,) = await events(ask, world, "TOKEN_REVOKED")
    assert created == {**revoked, "action": "TOKEN_CREATED"}
    assert (revoked["subjectLabel"], revoked["actor"]) == ("ci", None)
    seen = (await ask(world.contributor, FEED, actions=["TOKEN_CREATED"]))["events"]["nodes"]
    assert seen == []  # only the owner sees it, and those who see all
