"""Arguments and input fields with a default: they can be omitted, but aren't null."""

from typing import Any

import pytest

from testbed.ask import CREATE_JOB, Ask, Failed, config, job_input
from testbed.world import World

READ = """
query ($id: ID!, $by: JobSortField, $direction: SortDirection, $count: Int) {
  jobs(sortBy: $by, sortDirection: $direction) { nodes { id } }
  job(id: $id) {
    versions(sortDirection: $direction) { nodes { number } }
    currentVersion {
      schedule { timezone concurrencyPolicy missedSchedulePolicy nextFireTimes(count: $count) }
      compute { executionMode }
      dependencies { condition }
      source { ... on PythonFileSource { arguments } }
      environment { name } maxRetries retryDelaySeconds
    }
  }
}
"""
CREATE_DRAFT = "mutation ($input: CreateDraftInput!) { createDraft(input: $input) { draft { number } } }"
ADD_TEAMS = "mutation ($input: AddTeamsToJobInput!) { addTeamsToJob(input: $input) { userErrors { code path } } }"


async def test_omitted_arguments_and_fields_have_their_defaults(ask: Ask, world: World) -> None:
    other = await ask.create_job(world.contributor, world, jobKey="other")
    parts = config(
        world,
        schedule={"cron": "0 4 * * *"},
        compute={"driverInstanceType": "m.large"},
        dependencies=[{"jobId": other}],
        source={"pythonFile": {"path": "a.py"}},
    )
    job_id = await ask.create_job(world.contributor, world, config=parts)

    data = await ask(world.contributor, READ, id=job_id)
    drafted = await ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id})

    version = data["job"]["currentVersion"]
    assert len(version["schedule"].pop("nextFireTimes")) == 5
    assert version == {
        "schedule": {"timezone": "UTC", "concurrencyPolicy": "SKIP", "missedSchedulePolicy": "SKIP"},
        "compute": {"executionMode": "STANDALONE"},
        "dependencies": [{"condition": "ON_SUCCESS"}],
        "source": {"arguments": []},
        "environment": [],
        "maxRetries": 0,
        "retryDelaySeconds": 0,
    }
    assert [each["id"] for each in data["jobs"]["nodes"]] == [other, job_id]
    assert drafted["createDraft"]["draft"]["number"] == 2


@pytest.mark.parametrize("name", ["by", "direction", "count"])
async def test_null_for_an_argument_with_a_default_is_refused(ask: Ask, world: World, name: str) -> None:
    job_id = await ask.create_job(world.contributor, world, config=config(world, schedule={"cron": "0 4 * * *"}))

    with pytest.raises(Failed, match=rf"(?s)Argument '\w+' of non-null type .* must not be null|\${name}"):
        await ask(world.contributor, READ, id=job_id, **{name: None})


NULLS: list[dict[str, Any]] = [
    {"maxRetries": None},
    {"environment": None},
    {"dependencies": None},
    {"schedule": {"cron": "0 4 * * *", "timezone": None}},
    {"compute": {"executionMode": None}},
    {"source": {"pythonFile": {"path": "a.py", "arguments": None}}},
]


@pytest.mark.parametrize("part", NULLS, ids=str)
async def test_null_for_a_field_with_a_default_is_refused(ask: Ask, world: World, part: dict[str, Any]) -> None:
    with pytest.raises(Failed, match=r"\$input"):
        await ask(world.contributor, CREATE_JOB, input=job_input(world, config=config(world, **part)))


async def test_granting_again_needs_no_role_in_the_team(ask: Ask, world: World) -> None:
    both = [world.data_eng.id, world.platform.id]
    job_id = await ask.create_job(world.admin, world, teamIds=both)

    answer = await ask(world.team_admin, ADD_TEAMS, input={"jobId": job_id, "teamIds": both})
    refused = await ask(world.team_admin, ADD_TEAMS, input={"jobId": job_id, "teamIds": [*both, world.analytics.id]})

    assert answer["addTeamsToJob"]["userErrors"] == []
    assert refused["addTeamsToJob"]["userErrors"] == [{"code": "FORBIDDEN", "path": ["teamIds", "2"]}]
