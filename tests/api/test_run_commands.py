"""Runs are triggered, released, cancelled, deleted, scheduled, claimed and reported through the API."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.models.run_lease import RunLease
from mainsheet.resolvers.commands.run_sweep import sweep
from testbed.ask import Ask
from testbed.world import World

RUN = "run { id status attempt message parameters { name value } versionNumber triggeredBy { displayName } }"
ERRORS = "userErrors { code path }"
CLAIM = f"""mutation ($input: ClaimRunsInput!) {{ claimRuns(input: $input) {{
  runs {{ attempt leaseExpiresAt run {{ id status job {{ jobKey }} leaseExpiresAt }} }} {ERRORS} }} }}"""
REPORT = f"""mutation ($input: ReportRunsInput!) {{ reportRuns(input: $input) {{ {ERRORS}
  results {{ run {{ id status error {{ code message }} }} cancelRequested leaseExpiresAt {ERRORS} }} }} }}"""
SCHEDULE = f"""mutation ($input: CreateScheduledRunsInput!) {{ createScheduledRuns(input: $input) {{ {ERRORS}
  results {{ run {{ id status trigger scheduledFor availableAt message }} isNew {ERRORS} }} }} }}"""
JOB = "query ($id: ID!) { job(id: $id) { latestRun { status } events { nodes { action } } } }"
BY_LATEST = "query ($status: JobRunStatus) { jobs(filter: {latestRunStatuses: [$status]}) { totalCount } }"


async def do(ask: Ask, by: Any, name: str, selection: str = RUN, /, **values: Any) -> dict[str, Any]:
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {selection} {ERRORS} }} }}"
    answer: dict[str, Any] = (await ask(by, query, input=values))[name]
    return answer


async def change(ask: Ask, by: Any, name: str, selection: str = "__typename", /, **values: Any) -> dict[str, Any]:
    """Return the result of a mutation that isn't refused."""
    answer = await do(ask, by, name, selection, **values)
    assert answer.pop("userErrors") == []
    return answer


async def triggered(ask: Ask, world: World, job_id: str, **values: Any) -> str:
    done = await do(ask, world.contributor, "triggerRun", jobId=job_id, **values)
    assert done["userErrors"] == []
    return str(done["run"]["id"])


async def claim(ask: Ask, world: World, **values: Any) -> list[dict[str, Any]]:
    given = {"clusterIds": [world.cluster.id], **values}
    done = (await ask(world.contributor, CLAIM, input=given))["claimRuns"]
    assert done["userErrors"] == []
    found: list[dict[str, Any]] = done["runs"]
    return found


async def report(ask: Ask, world: World, run_id: str, state: str, attempt: int = 1, **values: Any) -> dict[str, Any]:
    given = {"reports": [{"runId": run_id, "attempt": attempt, "state": state, **values}]}
    done = (await ask(world.contributor, REPORT, input=given))["reportRuns"]
    assert done["userErrors"] == []
    (result,) = done["results"]
    found: dict[str, Any] = result
    return found


async def expire(database: Database) -> None:
    """Let all leases end, by the database's clock."""
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(RunLease).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world)


async def test_a_run_is_triggered_with_its_parameters(ask: Ask, world: World, job_id: str) -> None:
    parameters = [{"name": "day", "value": "today"}, {"name": "b", "value": ""}]
    done = await do(ask, world.contributor, "triggerRun", jobId=job_id, message="Again", parameters=parameters)

    assert done["run"] == {
        "id": done["run"]["id"],
        "status": "READY",
        "attempt": 0,
        "message": "Again",
        "parameters": parameters,
        "versionNumber": 1,
        "triggeredBy": {"displayName": "contributor"},
    }
    job = (await ask(world.viewer, JOB, id=job_id))["job"]
    assert job["latestRun"] == {"status": "READY"}
    assert [each["action"] for each in job["events"]["nodes"]] == ["RUN_TRIGGERED", "JOB_CREATED"]
    assert await ask(world.viewer, BY_LATEST, status="READY") == {"jobs": {"totalCount": 1}}
    assert await ask(world.viewer, BY_LATEST, status=None) == {"jobs": {"totalCount": 0}}


async def test_a_trigger_with_the_same_key_makes_one_run(ask: Ask, world: World, job_id: str) -> None:
    assert len({await triggered(ask, world, job_id, idempotencyKey="once") for _ in range(2)}) == 1


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"versionNumber": 2}, "VERSION_NOT_PUBLISHED", ["versionNumber"]),
        ({"versionNumber": 3}, "VERSION_NOT_FOUND", ["versionNumber"]),
        ({"message": "x" * 1024}, "INVALID", ["message"]),
        ({"parameters": [{"name": "a", "value": ""}] * 2}, "INVALID", ["parameters", "1", "name"]),
        ({"parameters": [{"name": "", "value": ""}]}, "INVALID", ["parameters", "0", "name"]),
        ({"parameters": [{"name": "a", "value": "x" * 8192}]}, "INVALID", ["parameters", "0", "value"]),
        ({"parameters": [{"name": f"a{n}", "value": ""} for n in range(101)]}, "INVALID", ["parameters"]),
    ],
)
async def test_a_trigger_is_refused(
    ask: Ask, world: World, job_id: str, given: dict[str, Any], code: str, path: list[str]
) -> None:
    await do(ask, world.contributor, "createDraft", "draft { id }", jobId=job_id)
    done = await do(ask, world.contributor, "triggerRun", jobId=job_id, **given)

    assert done == {"run": None, "userErrors": [{"code": code, "path": path}]}
    assert await ask(world.viewer, "{ runs { totalCount } }") == {"runs": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("who", "name", "code"),
    [
        ("viewer", "triggerRun", "FORBIDDEN"),
        ("auditor", "triggerRun", "FORBIDDEN"),
        ("outsider", "triggerRun", "JOB_NOT_FOUND"),
        ("viewer", "releaseRun", "FORBIDDEN"),
        ("viewer", "cancelRun", "FORBIDDEN"),
        ("outsider", "cancelRun", "RUN_NOT_FOUND"),
        ("contributor", "deleteRun", "FORBIDDEN"),
        ("outsider", "deleteRun", "RUN_NOT_FOUND"),
    ],
)
async def test_rights_on_runs_follow_those_on_the_job(
    ask: Ask, world: World, job_id: str, who: str, name: str, code: str
) -> None:
    run_id = await triggered(ask, world, job_id)
    given = {"jobId": job_id} if name == "triggerRun" else {"runId": run_id}
    done = await do(ask, getattr(world, who), name, "__typename", **given)

    assert done["userErrors"] == [{"code": code, "path": list(given)}]


async def test_a_held_run_is_released_claimed_and_succeeds(ask: Ask, world: World, job_id: str) -> None:
    run_id = await triggered(ask, world, job_id, hold=True)
    assert await claim(ask, world) == []

    released = await do(ask, world.contributor, "releaseRun", runId=run_id)
    (claimed,) = await claim(ask, world, leaseSeconds=3600)
    running = await report(ask, world, run_id, "RUNNING", progressPercent=50, logUrl="https://logs.example/1")
    done = await report(ask, world, run_id, "SUCCEEDED")

    assert released["run"]["status"] == "READY"
    assert claimed["run"]["status"] == "RUNNING"
    assert claimed["run"]["leaseExpiresAt"] == claimed["leaseExpiresAt"]
    assert (running["run"]["status"], running["cancelRequested"]) == ("RUNNING", False)
    assert running["leaseExpiresAt"] < claimed["leaseExpiresAt"]  # renewed for a minute
    assert (done["run"]["status"], done["leaseExpiresAt"]) == ("SUCCEEDED", None)
    actions = [each["action"] for each in (await ask(world.viewer, JOB, id=job_id))["job"]["events"]["nodes"]]
    assert actions[:-1] == ["RUN_FINISHED", "RUN_STARTED", "RUN_RELEASED", "RUN_TRIGGERED"]
    assert await ask(world.viewer, BY_LATEST, status="SUCCEEDED") == {"jobs": {"totalCount": 1}}


async def test_a_cancellation_reaches_the_worker_in_the_answer_to_its_report(
    ask: Ask, world: World, job_id: str
) -> None:
    run_id = await triggered(ask, world, job_id)
    await claim(ask, world)
    cancelled = await do(ask, world.contributor, "cancelRun", runId=run_id, message="Wrong day")
    told = await report(ask, world, run_id, "RUNNING")
    confirmed = await report(ask, world, run_id, "CANCELLED")
    again = await do(ask, world.contributor, "cancelRun", runId=run_id)

    assert cancelled["run"]["status"] == "RUNNING"
    assert told["cancelRequested"] is True
    assert confirmed["run"]["status"] == again["run"]["status"] == "CANCELLED"
    assert again["userErrors"] == []


async def test_a_finished_run_is_deleted_and_the_one_before_is_the_latest(ask: Ask, world: World, job_id: str) -> None:
    first, second = [await triggered(ask, world, job_id) for _ in range(2)]
    refused = await do(ask, world.team_admin, "deleteRun", "deletedRunId", runId=second)
    await do(ask, world.contributor, "cancelRun", runId=second)
    done = await do(ask, world.team_admin, "deleteRun", "deletedRunId", runId=second)

    assert refused["userErrors"] == [{"code": "RUN_NOT_FINISHED", "path": ["runId"]}]
    assert done == {"deletedRunId": second, "userErrors": []}
    assert await ask(world.viewer, "{ runs { nodes { id } } }") == {"runs": {"nodes": [{"id": first}]}}
    assert await ask(world.viewer, BY_LATEST, status="READY") == {"jobs": {"totalCount": 1}}


async def test_the_latest_run_of_a_job_is_its_own(ask: Ask, world: World, job_id: str) -> None:
    other = await ask.create_job(world.contributor, world, jobKey="other")
    first = (await do(ask, world.contributor, "triggerRun", "run { id }", jobId=job_id))["run"]["id"]
    await do(ask, world.contributor, "triggerRun", "run { id }", jobId=other)

    await do(ask, world.contributor, "cancelRun", "run { id }", runId=first)

    assert await ask(world.viewer, BY_LATEST, status="CANCELLED") == {"jobs": {"totalCount": 1}}
    assert await ask(world.viewer, BY_LATEST, status="READY") == {"jobs": {"totalCount": 1}}
    by_run = await ask(world.viewer, "{ jobs(sortBy: LATEST_RUN_AT) { nodes { id latestRun { job { id } } } } }")
    assert [(each["id"], each["latestRun"]["job"]["id"]) for each in by_run["jobs"]["nodes"]] == [
        (each, each) for each in (job_id, other)
    ]


async def test_a_scheduled_run_is_made_once_for_its_time(ask: Ask, world: World, job_id: str) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    past, future = (at - timedelta(hours=1)).isoformat(), (at + timedelta(hours=1)).isoformat()
    items = [
        {"jobId": job_id, "scheduledFor": past},
        {"jobId": job_id, "scheduledFor": future},
        {"jobId": job_id, "scheduledFor": past},
        {
            "jobId": job_id,
            "scheduledFor": (at - timedelta(hours=2)).isoformat(),
            "skipReason": "Another run is active.",
        },
        {"jobId": "JB0", "scheduledFor": past},
        {"jobId": job_id, "scheduledFor": "0001-01-01T00:00:00+14:00"},
    ]
    results = (await ask(world.contributor, SCHEDULE, input={"runs": items}))["createScheduledRuns"]["results"]

    assert [each["isNew"] for each in results] == [True, True, False, True, False, False]
    assert results[0]["run"] == results[2]["run"]
    assert [each["run"] and each["run"]["status"] for each in results] == [
        "READY",
        "READY",
        "READY",
        "SKIPPED",
        None,
        None,
    ]
    assert results[1]["run"]["availableAt"] == results[1]["run"]["scheduledFor"]
    assert [each["code"] for result in results for each in result["userErrors"]] == ["JOB_NOT_FOUND", "INVALID"]
    assert [each["run"]["id"] for each in await claim(ask, world)] == [results[0]["run"]["id"]]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_a_scheduled_run_of_the_first_or_last_time_is_in_utc(
    ask: Ask, world: World, job_id: str, moment: str
) -> None:
    items = [{"jobId": job_id, "scheduledFor": moment}] * 2
    results = (await ask(world.contributor, SCHEDULE, input={"runs": items}))["createScheduledRuns"]["results"]

    assert [each["isNew"] for each in results] == [True, False]
    assert {datetime.fromisoformat(each["run"]["scheduledFor"]).tzinfo for each in results} == {UTC}


async def test_claims_are_fair_to_jobs_and_oldest_first(ask: Ask, world: World) -> None:
    jobs = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("a", "b")]
    for job_id in (jobs[0], jobs[0], jobs[0], jobs[1]):
        await triggered(ask, world, job_id)
    keys = [each["run"]["job"]["jobKey"] for each in await claim(ask, world, limit=2)]
    rest = [each["run"]["job"]["jobKey"] for each in await claim(ask, world)]

    assert (keys, rest) == (["a", "b"], ["a", "a"])


async def test_a_worker_claims_only_what_it_may_run(ask: Ask, world: World) -> None:
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    viewed = await ask.create_job(world.admin, world, jobKey="viewed", teamIds=[world.analytics.id])
    for job_id in (hidden, viewed):
        assert (await do(ask, world.admin, "triggerRun", jobId=job_id))["userErrors"] == []

    assert await claim(ask, world) == []
    elsewhere = {"clusterIds": [world.clusters[ClusterStatus.FAILED].id]}
    assert (await ask(world.admin, CLAIM, input=elsewhere))["claimRuns"]["runs"] == []
    assert len((await ask(world.admin, CLAIM, input={"clusterIds": [world.cluster.id]}))["claimRuns"]["runs"]) == 2


async def test_a_repeated_claim_returns_the_same_leases_while_they_last(
    ask: Ask, world: World, job_id: str, database: Database
) -> None:
    await triggered(ask, world, job_id)
    first = await claim(ask, world, idempotencyKey="one")
    await triggered(ask, world, job_id)

    assert len(first) == 1
    assert await claim(ask, world, idempotencyKey="one") == first
    await expire(database)
    assert await claim(ask, world, idempotencyKey="one") == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"limit": 0}, ["limit"]),
        ({"limit": 101}, ["limit"]),
        ({"leaseSeconds": 4}, ["leaseSeconds"]),
        ({"leaseSeconds": 3601}, ["leaseSeconds"]),
        ({"clusterIds": ["CL0"]}, ["clusterIds", "0"]),
        ({"clusterIds": ["CL0"] * 101}, ["clusterIds"]),
    ],
)
async def test_a_claim_out_of_limits_is_refused(ask: Ask, world: World, given: dict[str, Any], path: list[str]) -> None:
    done = (await ask(world.contributor, CLAIM, input={"clusterIds": [world.cluster.id], **given}))["claimRuns"]

    assert path in [each["path"] for each in done["userErrors"]]
    assert done["runs"] == []


@pytest.mark.parametrize(
    ("state", "given", "path"),
    [
        ("RUNNING", {"leaseSeconds": 4}, "leaseSeconds"),
        ("RUNNING", {"progressPercent": 101}, "progressPercent"),
        ("SUCCEEDED", {"progressPercent": -1}, "progressPercent"),
        ("RUNNING", {"logUrl": ""}, "logUrl"),
        ("FAILED", {"error": {"message": "x" * 1024}}, "message"),
        ("CANCELLED", {"error": {"message": "m", "code": " "}}, "code"),
    ],
)
async def test_a_report_out_of_limits_is_refused(
    ask: Ask, world: World, job_id: str, state: str, given: dict[str, Any], path: str
) -> None:
    run_id = await triggered(ask, world, job_id)
    await claim(ask, world)
    result = await report(ask, world, run_id, state, **given)

    assert [(each["code"], each["path"][-1]) for each in result["userErrors"]] == [("INVALID", path)]


@pytest.mark.parametrize(
    ("state", "ignored"),
    [
        ("RUNNING", {"error": {"message": "x" * 1024}}),
        ("SUCCEEDED", {"error": {"message": "m", "code": " "}, "leaseSeconds": 4}),
        ("FAILED", {"leaseSeconds": 3601}),
    ],
)
async def test_limits_of_what_a_report_ignores_do_not_matter(
    ask: Ask, world: World, job_id: str, state: str, ignored: dict[str, Any]
) -> None:
    run_id = await triggered(ask, world, job_id)
    await claim(ask, world)
    result = await report(ask, world, run_id, state, **ignored)

    assert (result["run"]["status"], result["run"]["error"], result["userErrors"]) == (state, None, [])


async def test_a_report_of_an_old_attempt_is_refused(ask: Ask, world: World, job_id: str, database: Database) -> None:
    run_id = await triggered(ask, world, job_id)
    await claim(ask, world)
    await expire(database)
    late = await report(ask, world, run_id, "SUCCEEDED")
    assert await sweep(database) == 1
    assert await sweep(database) == 0
    (again,) = await claim(ask, world)
    old = await report(ask, world, run_id, "SUCCEEDED", attempt=1)
    new = await report(ask, world, run_id, "SUCCEEDED", attempt=2)

    assert [each["userErrors"][0]["code"] for each in (late, old)] == ["RUN_LEASE_LOST"] * 2
    assert again["attempt"] == 2
    assert (new["run"]["status"], new["userErrors"]) == ("SUCCEEDED", [])


async def test_a_failed_run_is_claimed_again_only_after_the_delay(ask: Ask, world: World) -> None:
    retried = {"clusterId": world.cluster.id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}, "maxRetries": 1}
    slow = await ask.create_job(world.contributor, world, jobKey="slow", config=retried | {"retryDelaySeconds": 3600})
    fast = await ask.create_job(world.contributor, world, jobKey="fast", config=retried)
    runs = [await triggered(ask, world, each) for each in (slow, fast)]
    await claim(ask, world)
    for run_id in runs:
        failed = await report(ask, world, run_id, "FAILED", error={"message": "Out of memory.", "code": "OOM"})
        assert failed["run"] == {"id": run_id, "status": "READY", "error": {"code": "OOM", "message": "Out of memory."}}

    assert [each["run"]["id"] for each in await claim(ask, world)] == runs[1:]
    assert (await report(ask, world, runs[1], "FAILED", attempt=2))["run"]["status"] == "FAILED"


async def test_many_claimed_runs_cost_as_many_statements_as_one(ask: Ask, world: World, job_id: str) -> None:
    costs = []
    for size in (1, 20):
        for _ in range(size):
            await triggered(ask, world, job_id)
        assert len(await claim(ask, world, limit=size)) == size
        # SQLite inserts events one by one, because it makes their numbers.
        costs.append(sum(not each.startswith("INSERT INTO event") for each in ask.statements))

    assert costs[0] == costs[1] > 1


async def test_two_workers_never_get_the_same_run(ask: Ask, world: World, database: Database) -> None:
    jobs = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(3)]
    runs = [await triggered(ask, world, job_id) for job_id in jobs for _ in range(8)]

    async def work() -> list[str]:
        own: list[str] = []
        while found := await claim(Ask(database), world, limit=3):
            own += [each["run"]["id"] for each in found]
        return own

    claimed = await asyncio.gather(*(work() for _ in range(4)))
    rest = await claim(ask, world, limit=100)  # passed over while another worker had them locked
    assert sorted([each for own in claimed for each in own] + [each["run"]["id"] for each in rest]) == sorted(runs)


async def test_a_report_and_a_sweep_at_once_agree(ask: Ask, world: World, job_id: str, database: Database) -> None:
    for _ in range(5):
        run_id = await triggered(ask, world, job_id)
        (claimed,) = await claim(ask, world)
        await expire(database)
        result, _ = await asyncio.gather(report(Ask(database), world, run_id, "SUCCEEDED"), sweep(database))
        await sweep(database)

        assert [each["code"] for each in result["userErrors"]] == ["RUN_LEASE_LOST"]
        (again,) = await claim(ask, world)
        assert (again["run"]["id"], again["attempt"]) == (run_id, claimed["attempt"] + 1)
        await report(ask, world, run_id, "SUCCEEDED", attempt=again["attempt"])


async def test_concurrent_schedulers_make_one_run(ask: Ask, world: World, job_id: str, database: Database) -> None:
    items = {"runs": [{"jobId": job_id, "scheduledFor": "2026-06-01T00:00:00Z"}]}

    async def make() -> tuple[str, bool]:
        (made,) = (await Ask(database)(world.contributor, SCHEDULE, input=items))["createScheduledRuns"]["results"]
        return made["run"]["id"], made["isNew"]

    made = await asyncio.gather(*(make() for _ in range(4)))
    assert len({run_id for run_id, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, False, False, True]


async def test_a_report_on_a_held_run_is_refused(ask: Ask, world: World, job_id: str) -> None:
    run_id = await triggered(ask, world, job_id, hold=True)
    refused = await report(ask, world, run_id, "RUNNING", attempt=0)

    assert refused["userErrors"] == [{"code": "RUN_NOT_READY", "path": ["reports", "0", "runId"]}]


async def test_a_renewed_lease_leaves_the_job_alone(ask: Ask, world: World, job_id: str) -> None:
    run_id = await triggered(ask, world, job_id)
    await claim(ask, world)
    await report(ask, world, run_id, "RUNNING")
    renewal = [each for each in ask.statements if not each.startswith(("BEGIN", "PRAGMA"))]
    await report(ask, world, run_id, "SUCCEEDED")
    end = [each for each in ask.statements if not each.startswith(("BEGIN", "PRAGMA"))]

    assert not any(each.startswith("UPDATE job ") or ("FROM job " in each and "FOR " in each) for each in renewal)
    assert any(each.startswith("UPDATE job ") for each in end)
    assert (len(renewal), len(end)) == (7, 9)
