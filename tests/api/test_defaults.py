"""Arguments with a default: omitting them and sending null are the same."""

from typing import Any

import pytest

from testbed.ask import CREATE_JOB, Ask, config, job_input
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
    }
  }
}
"""
CREATE_DRAFT = "mutation ($input: CreateDraftInput!) { createDraft(input: $input) { draft { number } } }"
ADD_TEAMS = "mutation ($input: AddTeamsToJobInput!) { addTeamsToJob(input: $input) { userErrors { code path } } }"


@pytest.mark.parametrize("null", [{}, None], ids=["omitted", "null"])
async def test_null_and_omitted_mean_the_default(ask: Ask, world: World, null: Any) -> None:
    def values(*names: str) -> dict[str, Any]:
        return {} if null == {} else dict.fromkeys(names)

    other = await ask.create_job(world.contributor, world, jobKey="other")
    parts = config(
        world,
        schedule={"cron": "0 4 * * *", **values("timezone", "concurrencyPolicy", "missedSchedulePolicy")},
        compute={"driverInstanceType": "m.large", **values("executionMode")},
        dependencies=[{"jobId": other, **values("condition")}],
        source={"pythonFile": {"path": "a.py", **values("arguments")}},
    )
    created = await ask(world.contributor, CREATE_JOB, input=job_input(world, config=parts))
    assert created["createJob"]["userErrors"] == []
    job_id = created["createJob"]["job"]["id"]

    data = await ask(world.contributor, READ, id=job_id, **values("by", "direction", "count"))
    drafted = await ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id, **values("dryRun")})

    version = data["job"]["currentVersion"]
    assert len(version["schedule"].pop("nextFireTimes")) == 5
    assert version == {
        "schedule": {"timezone": "UTC", "concurrencyPolicy": "SKIP", "missedSchedulePolicy": "SKIP"},
        "compute": {"executionMode": "STANDALONE"},
        "dependencies": [{"condition": "ON_SUCCESS"}],
        "source": {"arguments": []},
    }
    assert [each["id"] for each in data["jobs"]["nodes"]] == [other, job_id]
    assert drafted["createDraft"]["draft"]["number"] == 2


async def test_granting_again_needs_no_role_in_the_team(ask: Ask, world: World) -> None:
    both = [world.data_eng.id, world.platform.id]
    job_id = await ask.create_job(world.admin, world, teamIds=both)

    answer = await ask(world.team_admin, ADD_TEAMS, input={"jobId": job_id, "teamIds": both})
    refused = await ask(world.team_admin, ADD_TEAMS, input={"jobId": job_id, "teamIds": [*both, world.analytics.id]})

    assert answer["addTeamsToJob"]["userErrors"] == []
    assert refused["addTeamsToJob"]["userErrors"] == [{"code": "FORBIDDEN", "path": ["teamIds", "2"]}]
