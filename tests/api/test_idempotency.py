"""A mutation with an idempotency key runs once, and a replay gets the first answer."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry import ID, Some

from mainsheet.models.database import Database
from mainsheet.models.idempotency import KEPT, IdempotencyRecord
from mainsheet.models.roles import OrganizationRole
from mainsheet.schema.config_input import JobConfigChangesInput, JobScheduleInput
from mainsheet.schema.inputs import CreateVersionInput
from mainsheet.schema.plain import canonical
from testbed.ask import CREATE_JOB, Ask, job_input
from testbed.world import World, caller
from tests.api.test_dry_run import change, everything

DELETE_JOB = """
mutation ($id: ID!) { deleteJob(input: {jobId: $id}) { deletedJobId } }
"""
HIDE_JOB = """
mutation ($id: ID!, $platform: ID!, $dataEng: ID!) {
  addTeamsToJob(input: {jobId: $id, teamIds: [$platform]}) { userErrors { code } }
  removeTeamFromJob(input: {jobId: $id, teamId: $dataEng}) { userErrors { code } }
}
"""
OF_RELEASE_0_1_0 = "0f" * 32  # a digest of the function's Python path and the values, as 0.1.0 made it


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    job_id = await ask.create_job(world.contributor, world)
    await change(ask, world, "createVersion", job_id, changes={"maxRetries": 1})
    return job_id


@pytest.mark.parametrize("name", ["publishDraft", "createVersion"])
async def test_a_replay_changes_nothing(ask: Ask, world: World, database: Database, job_id: str, name: str) -> None:
    values = {} if name == "publishDraft" else {"changes": {"maxRetries": 7}}
    if name == "publishDraft":
        await change(ask, world, "createDraft", job_id)
    first = await change(ask, world, name, job_id, idempotencyKey="once", **values)
    before = await everything(database)

    assert first["userErrors"] == []
    assert await change(ask, world, name, job_id, idempotencyKey="once", **values) == first
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("publishDraft", {"message": "other"}),
        ("publishDraft", {"expectedCurrentVersion": 2}),
        ("createVersion", {"changes": {}}),
    ],
)
async def test_a_key_belongs_to_one_mutation_and_one_input(
    ask: Ask, world: World, database: Database, job_id: str, name: str, values: dict[str, Any]
) -> None:
    await change(ask, world, "createDraft", job_id)
    await change(ask, world, "publishDraft", job_id, idempotencyKey="once")
    before = await everything(database)

    first, *_ = (await change(ask, world, name, job_id, idempotencyKey="once", **values))["userErrors"]

    assert (first["code"], first["path"]) == ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    assert await everything(database) == before


async def test_refusals_and_dry_runs_use_no_key(ask: Ask, world: World, job_id: str) -> None:
    refused = await change(ask, world, "publishDraft", job_id, idempotencyKey="once")
    await change(ask, world, "createDraft", job_id)
    await change(ask, world, "publishDraft", job_id, idempotencyKey="once", message="tried", dryRun=True)
    done = await change(ask, world, "publishDraft", job_id, idempotencyKey="once", message="done")

    assert [each["code"] for each in refused["userErrors"]] == ["DRAFT_NOT_FOUND"]
    assert (done["userErrors"], done["version"]["number"]) == ([], 3)


async def test_members_have_separate_keys(ask: Ask, world: World, job_id: str) -> None:
    query = """mutation ($id: ID!, $retries: Int) {
      createVersion(input: {jobId: $id, idempotencyKey: "once", changes: {maxRetries: $retries}}) {
        version { number } userErrors { code } } }"""

    first = await ask(world.contributor, query, id=job_id, retries=5)
    second = await ask(world.team_admin, query, id=job_id, retries=6)

    assert first["createVersion"] == {"version": {"number": 3}, "userErrors": []}
    assert second["createVersion"] == {"version": {"number": 4}, "userErrors": []}


async def test_a_replay_after_an_upgrade_gets_the_first_answer(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    first = await change(ask, world, "createVersion", job_id, idempotencyKey="once", changes={"maxRetries": 7})
    async with database.writes.begin() as connection:
        await connection.execute(text(f"UPDATE idempotency_record SET input_digest = '{OF_RELEASE_0_1_0}'"))
    before = await everything(database)

    again = await change(ask, world, "createVersion", job_id, idempotencyKey="once", changes={"maxRetries": 7})

    assert again == first
    assert await everything(database) == before


async def test_a_key_is_free_again_after_24_hours(ask: Ask, world: World, database: Database, job_id: str) -> None:
    await change(ask, world, "createVersion", job_id, idempotencyKey="once", changes={"maxRetries": 7})
    async with AsyncSession(database.writes) as session, session.begin():
        record = await session.get_one(IdempotencyRecord, (world.contributor.id, "once"))
        record.created_at -= KEPT

    other = await change(ask, world, "createVersion", job_id, idempotencyKey="once", changes={"maxRetries": 8})

    assert (other["version"]["maxRetries"], other["userErrors"]) == (8, [])


@pytest.mark.parametrize("name", ["createJob", "createVersion"])
async def test_a_replay_says_that_the_job_was_deleted(ask: Ask, world: World, database: Database, name: str) -> None:
    values: dict[str, Any] = {"idempotencyKey": "once"}
    created = job_input(world, **values if name == "createJob" else {})
    job_id = (await ask(world.contributor, CREATE_JOB, input=created))["createJob"]["job"]["id"]
    if name == "createVersion":
        await change(ask, world, name, job_id, changes={}, **values)
    await ask(world.team_admin, DELETE_JOB, id=job_id)
    before = await everything(database)

    if name == "createJob":
        replayed = (await ask(world.contributor, CREATE_JOB, input=created))[name]
    else:
        replayed = await change(ask, world, name, job_id, changes={}, **values)

    (error,) = replayed["userErrors"]
    assert replayed["job"] is None
    assert (error["code"], error["path"]) == ("JOB_NOT_FOUND", ["idempotencyKey"])
    assert job_id in error["message"]
    assert "deleted" in error["message"]
    assert await everything(database) == before


async def test_a_replay_hides_whether_a_job_was_deleted(ask: Ask, world: World) -> None:
    messages = []
    for key, end in (("deleted", DELETE_JOB), ("hidden", HIDE_JOB)):
        created = job_input(world, jobKey=key, idempotencyKey=key)
        job_id = (await ask(world.contributor, CREATE_JOB, input=created))["createJob"]["job"]["id"]
        teams = {"platform": world.platform.id, "dataEng": world.data_eng.id} if end == HIDE_JOB else {}
        await ask(world.admin, end, id=job_id, **teams)
        (error,) = (await ask(world.contributor, CREATE_JOB, input=created))["createJob"]["userErrors"]
        messages.append(error["message"].replace(job_id, "ID"))

    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("name", "code", "values"),
    [
        ("Team", "TEAM_NOT_FOUND", {"name": "new"}),
        ("Cluster", "CLUSTER_NOT_FOUND", {"name": "new"}),
        ("SavedQuery", "SAVED_QUERY_NOT_FOUND", {"name": "new", "sql": "SELECT 1"}),
        ("Webhook", "WEBHOOK_NOT_FOUND", {"url": "https://hooks.example/in"}),
    ],
)
async def test_a_replay_says_that_an_object_was_deleted(
    ask: Ask, world: World, database: Database, name: str, code: str, values: dict[str, Any]
) -> None:
    field = f"{name[0].lower()}{name[1:]}"
    create = f"""mutation ($input: Create{name}Input!) {{
      create{name}(input: $input) {{ {field} {{ id }} userErrors {{ code path message }} }} }}"""
    delete = f"mutation ($id: ID!) {{ delete{name}(input: {{{field}Id: $id}}) {{ userErrors {{ code }} }} }}"
    created = {**values, "idempotencyKey": "once"} | ({"teamId": world.data_eng.id} if name == "SavedQuery" else {})
    new_id = (await ask(world.admin, create, input=created))[f"create{name}"][field]["id"]
    await ask(world.admin, delete, id=new_id)
    before = await everything(database)

    replayed = (await ask(world.admin, create, input=created))[f"create{name}"]

    (error,) = replayed["userErrors"]
    assert replayed[field] is None
    assert (error["code"], error["path"]) == (code, ["idempotencyKey"])
    assert f"{new_id!r}" in error["message"]
    assert "deleted" in error["message"]
    assert await everything(database) == before


async def test_a_replay_says_that_the_run_was_deleted(ask: Ask, world: World, job_id: str) -> None:
    trigger = """mutation ($id: ID!) {
      triggerRun(input: {jobId: $id, idempotencyKey: "once"}) { run { id } userErrors { code path } } }"""
    end = """mutation ($id: ID!) {
      cancelRun(input: {runId: $id}) { userErrors { code } } deleteRun(input: {runId: $id}) { deletedRunId } }"""
    run_id = (await ask(world.team_admin, trigger, id=job_id))["triggerRun"]["run"]["id"]
    await ask(world.team_admin, end, id=run_id)

    replayed = (await ask(world.team_admin, trigger, id=job_id))["triggerRun"]

    assert replayed == {"run": None, "userErrors": [{"code": "RUN_NOT_FOUND", "path": ["idempotencyKey"]}]}


async def test_a_replay_says_that_the_webhook_is_hidden(ask: Ask, world: World) -> None:
    create = """mutation { createWebhook(input: {url: "https://hooks.example/in", idempotencyKey: "once"}) {
      webhook { id } userErrors { code } } }"""
    await ask(world.admin, create)
    now_a_member = replace(caller(world.admin), organization_role=OrganizationRole.MEMBER)

    replayed = (await ask(now_a_member, create))["createWebhook"]

    assert replayed == {"webhook": None, "userErrors": [{"code": "WEBHOOK_NOT_FOUND"}]}


def test_inputs_are_compared_without_defaults_and_nulls() -> None:
    asked = CreateVersionInput(
        job_id=ID("JB1"),
        changes=JobConfigChangesInput(
            cluster_id=None,
            source=None,
            dependencies=None,
            compute=None,
            environment=None,
            retry_delay_seconds=None,
            max_retries=Some(3),
            timeout_seconds=Some(None),
            schedule=Some(JobScheduleInput(cron="@daily", timezone="UTC", max_concurrent_runs=None)),
        ),
        message=None,
        dry_run=False,
    )

    assert canonical(asked) == {
        "jobId": "JB1",
        "changes": {"maxRetries": 3, "timeoutSeconds": None, "schedule": {"cron": "@daily"}},
    }
