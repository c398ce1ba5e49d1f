"""Rows whose retention has ended are deleted in batches, by `mainsheet db prune` and by the server itself."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import func, make_url, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from mainsheet.models import retention
from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database, Patience
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.idempotency import IdempotencyRecord
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.models.retention import Retention, prunable, prune
from mainsheet.models.roles import AccessScope
from mainsheet.server.process.pruner import pruning
from testbed.ask import Ask, job_input
from testbed.databases import connected
from testbed.world import World, make_run
from tests.server.commands import invoke
from tests.server.failing import holding

PATIENCE = 30  # seconds
DAY = timedelta(days=1)
KEEP_RUNS = "LOCK TABLE job_run IN SHARE MODE"  # they can be read
NOW = datetime.now(UTC)
ALL = Retention(events=30 * DAY, runs=30 * DAY, tokens=30 * DAY, deleted_jobs=30 * DAY)
LATEST = "{ jobs { nodes { latestRun { id } runs { nodes { id } } } } }"
DELETE = "mutation ($input: DeleteJobInput!) { deleteJob(input: $input) { userErrors { message } } }"
Times = Mapping[str, datetime | None]
TEAM = 'mutation { createTeam(input: {name: "new", idempotencyKey: "one"}) { userErrors { code } } }'


async def runs(database: Database, job_id: str, *ages: int, **values: Any) -> list[str]:
    """Add finished runs of these ages in days, and return their ids."""
    made = []
    for age in ages:
        at = NOW - age * DAY
        made.append(await make_run(database, job_id, **{"created_at": at, "finished_at": at, **values}))
    return [each.id for each in made]


async def stored(database: Database, column: Any) -> set[str]:
    async with database.reads.connect() as connection:
        return set(await connection.scalars(select(column)))


async def test_finished_runs_are_deleted_but_the_latest_of_each_job(
    database: Database, world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    busy, quiet = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("busy", "quiet")]
    old = await runs(database, busy, *range(50, 43, -1))
    unfinished = await runs(database, busy, 42, finished_at=None, status=JobRunStatus.RUNNING)
    slow = await runs(database, busy, 41, finished_at=NOW)
    new = await runs(database, busy, 5)
    latest = await runs(database, quiet, 60, 40)

    expected = await prunable(database, ALL)
    deleted = await prune(database, ALL)

    assert expected == deleted
    others = dict.fromkeys(("events", "tokens", "deleted_jobs", "saved_query_texts", "idempotency_records"), 0)
    assert deleted == {"runs": 8, **others}
    assert await stored(database, JobRun.id) == {*unfinished, *slow, *new, latest[1]}
    assert old[0] not in await stored(database, JobRun.id)
    jobs = (await ask(world.admin, LATEST))["jobs"]["nodes"]
    assert [each["latestRun"]["id"] for each in jobs] == [new[0], latest[1]]
    assert (await prune(database, ALL))["runs"] == 0


async def test_ended_tokens_are_deleted(database: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    old, new = NOW - 31 * DAY, NOW - 29 * DAY
    ended: list[Times] = [{"expires_at": old}, {"revoked_at": old}, {"revoked_at": old, "expires_at": NOW + DAY}]
    kept: list[Times] = [{"expires_at": None}, {"expires_at": NOW + DAY}, {"expires_at": new}, {"revoked_at": new}]
    await tokens(database, world, *ended)
    kept_ids = await tokens(database, world, *kept)

    assert (await prunable(database, ALL))["tokens"] == 3
    assert (await prune(database, ALL))["tokens"] == 3
    assert await stored(database, AccessToken.id) == kept_ids


async def tokens(database: Database, world: World, *times: Times) -> set[str]:
    async with AsyncSession(database.writes) as session, session.begin():
        made = set()
        for each in times:
            created = (world.organization.id, world.admin.id, NOW - 90 * DAY)
            token, _ = AccessToken.issue(*created, expires_at=None, name=None, scopes=[AccessScope.READ])
            for name, value in each.items():
                setattr(token, name, value)
            session.add(token)
            made.add(token.id)
    return made


async def test_deleted_jobs_are_forgotten_when_no_version_depends_on_them(
    database: Database, world: World, ask: Ask
) -> None:
    needed, forgotten = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("needed", "forgotten")]
    config = {**job_input(world)["config"], "dependencies": [{"jobId": needed}]}
    await ask.create_job(world.contributor, world, jobKey="kept", config=config)
    for job_id in (needed, forgotten):
        deleted = await ask(world.admin, DELETE, input={"jobId": job_id, "force": True})
        assert deleted["deleteJob"]["userErrors"] == []
    assert (await prune(database, ALL))["deleted_jobs"] == 0
    async with database.writes.begin() as connection:
        await connection.execute(update(DeletedJob).values(deleted_at=NOW - 31 * DAY))

    assert (await prunable(database, ALL))["deleted_jobs"] == 1
    assert (await prune(database, ALL))["deleted_jobs"] == 1
    assert await stored(database, DeletedJob.id) == {needed}
    job = await ask(world.admin, 'query { jobByKey(jobKey: "kept") { currentVersion { dependencies { jobKey } } } }')
    assert job["jobByKey"]["currentVersion"]["dependencies"] == [{"jobKey": "needed"}]


async def test_answers_to_idempotency_keys_are_deleted_after_a_day(database: Database, world: World, ask: Ask) -> None:
    await ask(world.admin, TEAM)
    assert (await prune(database, ALL))["idempotency_records"] == 0
    async with database.writes.begin() as connection:
        await connection.execute(update(IdempotencyRecord).values(created_at=NOW - timedelta(hours=25)))

    assert (await prune(database, Retention()))["idempotency_records"] == 1
    assert await stored(database, IdempotencyRecord.key) == set()


async def test_without_retention_everything_is_kept(database: Database, world: World, ask: Ask) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await runs(database, job_id, 1000, 900)
    await tokens(database, world, {"revoked_at": NOW - 1000 * DAY})

    assert await prune(database, Retention()) == {"saved_query_texts": 0, "idempotency_records": 0}
    assert len(await stored(database, JobRun.id)) == 2
    assert len(await stored(database, AccessToken.id)) == 1


async def test_several_processes_may_prune_at_once(
    database: Database, world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    job_id = await ask.create_job(world.contributor, world)
    await runs(database, job_id, *range(70, 40, -1))
    await tokens(database, world, *[{"revoked_at": NOW - 40 * DAY}] * 20)

    counts = await asyncio.gather(*(prune(database, ALL) for _ in range(3)))
    rest = await prune(database, ALL)  # rows that were locked are passed over

    assert sum(each["tokens"] for each in [*counts, rest]) == 20
    assert len(await stored(database, JobRun.id)) == 1
    assert await stored(database, AccessToken.id) == set()


async def test_the_server_prunes_by_itself(database: Database, world: World, ask: Ask) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await runs(database, job_id, 50, 40)

    async with asyncio.timeout(PATIENCE), asynccontextmanager(pruning)(database, ALL, web.Application()):
        while len(await stored(database, JobRun.id)) > 1:
            pass


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_table_that_cant_be_pruned_keeps_no_other_one(database: Database, world: World, ask: Ask) -> None:
    await runs(database, await ask.create_job(world.contributor, world), 50, 40)
    await tokens(database, world, {"revoked_at": NOW - 100 * DAY})
    impatient = Database.open(database.url, patience=Patience(statement=1))

    with capture_logs() as logged:
        async with (
            holding(database, KEEP_RUNS),
            asyncio.timeout(PATIENCE),
            asynccontextmanager(pruning)(impatient, ALL, web.Application()),
        ):
            while await stored(database, AccessToken.id):
                pass
    await impatient.close()

    failures = [(each["rows"], each["reason"]) for each in logged if each["event"] == "pruning failed"]
    assert failures == [("runs", "A database statement took too long and was stopped")]
    assert len(await stored(database, JobRun.id)) == 2


async def test_the_command_counts_and_then_deletes(
    database: Database, database_url: str, world: World, ask: Ask
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await runs(database, job_id, 50, 40, 39)
    await tokens(database, world, {"revoked_at": NOW - 100 * DAY})
    arguments = ("db", "prune", "--run-retention-days", "30", "--database-url", database_url)

    planned = await asyncio.to_thread(invoke, *arguments, "--dry-run")
    done = await asyncio.to_thread(invoke, *arguments, "--json")

    assert planned.stdout.splitlines() == [
        "ROWS                 HOURS KEPT  TO DELETE",
        "events               for ever    0",
        "runs                 720         2",
        "tokens               2160        1",
        "deleted jobs         for ever    0",
        "webhook deliveries   720         0",
        "saved query texts    0           0",
        "idempotency records  24          0",
    ]
    assert json.loads(done.stdout)[1:3] == [
        {"rows": "runs", "hoursKept": 720, "deleted": 2},
        {"rows": "tokens", "hoursKept": 2160, "deleted": 1},
    ]
    async with database.reads.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(JobRun)) == 1


@pytest.mark.parametrize("days", ["-1", "36501", "x"])
def test_a_retention_out_of_range_is_refused(days: str, sqlite_url: str) -> None:
    done = invoke("db", "prune", "--dry-run", "--run-retention-days", days, "--database-url", sqlite_url)

    assert done.returncode != 0
    assert "retention" in done.stderr.lower()


async def test_runs_are_found_by_their_index(postgres_url: str) -> None:
    """A scan of all runs every hour would cost more than the deletion."""
    statement = retention.ended_runs("OR1", NOW, (retention.BEGINNING, ""))
    url = make_url(postgres_url)
    compiled = statement.compile(dialect=url.get_dialect()(), compile_kwargs={"literal_binds": True})

    async with connected(postgres_url) as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN {compiled}")]

    assert any("ix_job_run_organization_created" in line for line in plan), plan
