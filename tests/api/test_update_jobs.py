"""`updateJobs` changes many jobs item by item."""

from typing import Any

import pytest

from testbed.ask import Ask
from testbed.world import World

UPDATE = """
mutation ($input: UpdateJobsInput!) { updateJobs(input: $input) {
  results { job { jobKey status revision } userErrors { code path } }
  userErrors { code path }
} }
"""
JOBS = "{ jobs { nodes { status } } }"


@pytest.mark.parametrize("dry_run", [False, True])
async def test_each_item_is_changed_or_refused_by_itself(ask: Ask, world: World, dry_run: bool) -> None:
    own, other = [await ask.create_job(world.contributor, world, jobKey=each) for each in ("own", "other")]
    foreign = await ask.create_job(world.admin, world, jobKey="foreign", teamIds=[world.platform.id])
    items: list[dict[str, Any]] = [{"jobId": each, "status": "PAUSED"} for each in (own, foreign, other)]
    items[2]["expectedJobRevision"] = 7

    answer = await ask(world.contributor, UPDATE, input={"jobs": items, "dryRun": dry_run})
    seen = await ask(world.contributor, JOBS)

    assert answer["updateJobs"] == {
        "results": [
            {"job": {"jobKey": "own", "status": "PAUSED", "revision": 2}, "userErrors": []},
            {"job": None, "userErrors": [{"code": "JOB_NOT_FOUND", "path": ["jobs", "1", "jobId"]}]},
            {
                "job": {"jobKey": "other", "status": "ACTIVE", "revision": 1},
                "userErrors": [{"code": "STALE_REVISION", "path": ["jobs", "2", "expectedJobRevision"]}],
            },
        ],
        "userErrors": [],
    }
    assert [each["status"] for each in seen["jobs"]["nodes"]] == ["ACTIVE" if dry_run else "PAUSED", "ACTIVE"]


@pytest.mark.parametrize("size", [0, 101])
async def test_a_batch_has_1_to_100_items(ask: Ask, world: World, size: int) -> None:
    job_id = await ask.create_job(world.contributor, world)

    answer = await ask(world.contributor, UPDATE, input={"jobs": [{"jobId": job_id}] * size})

    assert answer["updateJobs"] == {"results": [], "userErrors": [{"code": "INVALID", "path": ["jobs"]}]}
