"""Lists of runs: of a job, a version, a cluster, and of all jobs that the caller sees."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import World, make_run

START = datetime(2026, 5, 1, tzinfo=UTC)
LISTS = """
query ($filter: JobRunFilter, $job: ID!, $cluster: ID!) {
  runs(filter: $filter) { ...Runs }
  me { runs(filter: $filter) { ...Runs } }
  cluster(id: $cluster) { runs(filter: $filter) { ...Runs } }
  job(id: $job) { runs(filter: $filter) { ...Runs }  versions { nodes { runs(filter: $filter) { ...Runs } } } }
}
fragment Runs on JobRunConnection { totalCount nodes { message } }
"""
PUBLISH = "mutation ($input: CreateVersionInput!) { createVersion(input: $input) { userErrors { code } } }"
FIELDS = """
query ($id: ID!) { node(id: $id) { ... on JobRun {
  durationSeconds attempt parameters { name value } message progressPercent error { code message } logUrl
  triggeredBy { displayName } cancelRequestedBy { displayName } leaseExpiresAt
} } }
"""


@pytest.fixture
async def job_id(ask: Ask, world: World, database: Database) -> str:
    """The id of the job `seen`. Its runs are named by their order; the last one ran version 2. Another is hidden."""
    seen = await ask.create_job(world.contributor, world, jobKey="seen")
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    for number, status in enumerate(("SUCCEEDED", "FAILED", "RUNNING")):
        if status == "RUNNING":
            done = await ask(world.contributor, PUBLISH, input={"jobId": seen, "changes": {"maxRetries": 1}})
            assert done["createVersion"]["userErrors"] == []
        at = START + timedelta(hours=number)
        scheduled = {"created_at": at, "scheduled_for": at - timedelta(minutes=1)}
        await make_run(database, seen, status=status, message=f"run-{number}", **scheduled)
        await make_run(database, hidden, status=status, message=f"hidden-{number}", **scheduled)
    return seen


async def lists(ask: Ask, world: World, job_id: str, **wanted: Any) -> dict[str, list[str]]:
    data = await ask(world.contributor, LISTS, filter=wanted, job=job_id, cluster=world.cluster.id)
    job = data["job"]
    versions = {f"version {index}": each["runs"] for index, each in enumerate(job["versions"]["nodes"], start=1)}
    pages = {"all": data["runs"], "me": data["me"]["runs"], "cluster": data["cluster"]["runs"], "job": job["runs"]}
    found = {name: [each["message"] for each in page["nodes"]] for name, page in (pages | versions).items()}
    assert {name: page["totalCount"] for name, page in (pages | versions).items()} == {
        name: len(own) for name, own in found.items()
    }
    return found


async def test_runs_of_visible_jobs_are_listed_newest_first(ask: Ask, world: World, job_id: str) -> None:
    every = ["run-2", "run-1", "run-0"]
    assert await lists(ask, world, job_id) == {
        **dict.fromkeys(("all", "me", "cluster", "job"), every),
        "version 1": every[1:],
        "version 2": every[:1],
    }
    everything = await ask(world.admin, "{ runs { totalCount } }")
    assert everything == {"runs": {"totalCount": 6}}
    assert await ask(world.outsider, "{ runs { totalCount } }") == {"runs": {"totalCount": 0}}
    assert await ask(world.foreign.admin, "{ runs { totalCount } }") == {"runs": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"statuses": ["FAILED", "RUNNING"]}, [2, 1]),
        ({"statuses": []}, []),
        ({"jobIds": ["JB0"]}, []),
        ({"clusterIds": ["CL0"]}, []),
        ({"since": "2026-05-01T01:00:00Z"}, [2, 1]),
        ({"until": "2026-05-01T01:00:00Z"}, [0]),
        ({"since": "2026-05-01T03:00:00+02:00", "until": "2026-05-01T02:00:00"}, [1]),
        ({"scheduledSince": "2026-05-01T00:59:00Z"}, [2, 1]),
        ({"scheduledUntil": "2026-05-01T00:59:00Z", "statuses": ["SUCCEEDED"]}, [0]),
    ],
)
async def test_runs_are_filtered_in_every_list(
    ask: Ask, world: World, job_id: str, wanted: dict[str, Any], expected: list[int]
) -> None:
    everywhere = await lists(ask, world, job_id)
    found = await lists(ask, world, job_id, **wanted)

    messages = [f"run-{number}" for number in expected]
    assert found == {name: [each for each in messages if each in own] for name, own in everywhere.items()}


async def test_runs_are_found_by_job_and_cluster(ask: Ask, world: World, job_id: str) -> None:
    elsewhere = world.clusters[ClusterStatus.FAILED].id
    assert len((await lists(ask, world, job_id, jobIds=[job_id], clusterIds=[world.cluster.id]))["all"]) == 3
    assert (await lists(ask, world, job_id, clusterIds=[elsewhere]))["all"] == []


async def test_a_run_shows_what_it_stores(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)
    run = await make_run(
        database,
        job_id,
        status="FAILED",
        attempt=2,
        started_at=START,
        finished_at=START + timedelta(seconds=1.5),
        parameters=[{"name": "day", "value": "today"}],
        progress_percent=40,
        error_code="OOM",
        error_message="Out of memory.",
        log_url="https://logs.example/1",
        triggered_by_id=world.contributor.id,
    )

    assert await ask(world.viewer, FIELDS, id=run.id) == {
        "node": {
            "durationSeconds": 1.5,
            "attempt": 2,
            "parameters": [{"name": "day", "value": "today"}],
            "message": None,
            "progressPercent": 40,
            "error": {"code": "OOM", "message": "Out of memory."},
            "logUrl": "https://logs.example/1",
            "triggeredBy": {"displayName": "contributor"},
            "cancelRequestedBy": None,
            "leaseExpiresAt": None,
        }
    }
