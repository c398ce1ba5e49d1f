"""Stored times come from the database's clock, and the times of a job never decrease."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import clock
from mainsheet.models.base import Base
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.job_listing import NEVER_RAN
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.models.roles import JobPermission
from mainsheet.models.run_lease import RunLease
from mainsheet.models.webhook_lease import NEVER_HELD
from mainsheet.resolvers.commands import run_times
from mainsheet.resolvers.commands.run_times import correct_times
from mainsheet.resolvers.write import Write
from mainsheet.server.auth import tokens
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.last_use import LastUse
from testbed.ask import CREATE_JOB, Ask, config, job_input
from testbed.world import World, caller, make_run, make_world
from tests.api.test_dry_run import change
from tests.api.test_run_commands import claim, report
from tests.locks import until_waiting

UPDATE = "mutation ($i: UpdateJobInput!) { updateJob(input: $i) { job { updatedAt } userErrors { code } } }"
TRIGGER = "mutation ($id: ID!) { triggerRun(input: {jobId: $id}) { userErrors { code } } }"
HOLD = "mutation ($id: ID!) { triggerRun(input: {jobId: $id, hold: true}) { userErrors { code } } }"
RELEASE = "mutation ($id: ID!) { releaseRun(input: {runId: $id}) { userErrors { code } } }"
SCHEDULE = """mutation ($id: ID!, $at: DateTime!) {
  createScheduledRuns(input: {runs: [{jobId: $id, scheduledFor: $at}]}) { userErrors { code } } }"""
LATEST = "query ($id: ID!) { job(id: $id) { latestRun { id } runs { nodes { id } } } }"
YEARS = timedelta(days=9000)


@pytest.fixture
def _process_clock_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "process_time", lambda: datetime.now(UTC) - YEARS)


async def time_of(database: Database) -> datetime:
    async with database.writes.begin() as connection:
        return await clock.read_clock(connection)


async def moments(database: Database) -> set[datetime]:
    """Return all times in all tables."""
    async with AsyncSession(database.reads) as session:
        rows = [row for table in Base.metadata.sorted_tables for row in await session.execute(table.select())]
    return {value for row in rows for value in row if isinstance(value, datetime)}


@pytest.mark.usefixtures("_process_clock_is_wrong")
async def test_each_stored_time_is_the_databases(ask: Ask, world: World, database: Database) -> None:
    begun = await time_of(database)
    created = await ask(world.contributor, CREATE_JOB, input=job_input(world, idempotencyKey="once"))
    job_id = created["createJob"]["job"]["id"]
    await change(ask, world, "createDraft", job_id)
    await change(ask, world, "publishDraft", job_id, idempotencyKey="twice")
    secret = await tokens.create(database, world.viewer.email, None, None)
    authenticator = Authenticator(database, LastUse(database))
    assert await authenticator.caller(f"Bearer {secret}") is not None
    await authenticator.close()

    found, ended = await moments(database) - {NEVER_RAN, NEVER_HELD}, await time_of(database)

    assert (ended < datetime.now(UTC) - timedelta(days=1)) == database.is_sqlite
    assert begun <= min(found) <= max(found) <= ended


async def test_reading_the_clock_needs_no_extra_statement(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, idempotencyKey="once")
    created = list(ask.statements)
    await change(ask, world, "createVersion", job_id, changes={}, idempotencyKey="twice")

    told = [each for each in (*created, *ask.statements) if "clock_timestamp()" in each]

    assert told
    assert not any(each.startswith("SELECT clock_timestamp()") for each in told)


async def test_a_token_expires_by_the_databases_clock(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await tokens.create(database, world.viewer.email, timedelta(hours=1), None)
    authenticator = Authenticator(database, LastUse(database))
    monkeypatch.setattr(clock, "process_time", lambda: datetime.now(UTC) + timedelta(hours=2))

    caller_ = await authenticator.caller(f"Bearer {secret}")
    await authenticator.close()

    assert (caller_ is None) == database.is_sqlite  # where the database's clock is that of the process


async def test_a_change_is_never_earlier_than_the_one_before(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)
    ahead = await time_of(database) + timedelta(days=1)
    async with AsyncSession(database.writes) as session, session.begin():
        (await session.get_one(Job, job_id)).updated_at = ahead

    answer = await ask(world.contributor, UPDATE, i={"jobId": job_id, "name": "Other"})

    assert answer["updateJob"]["userErrors"] == []
    async with AsyncSession(database.reads) as session:
        job = await session.get_one(Job, job_id)
        events = list(await session.scalars(select(Event.occurred_at).order_by(Event.number)))
    assert job.updated_at == events[-1] == ahead


@pytest.mark.parametrize("mutation", [TRIGGER, SCHEDULE], ids=["trigger", "schedule"])
async def test_a_new_run_is_the_latest_though_the_clock_was_set_back(
    ask: Ask, world: World, database: Database, mutation: str
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    now = await time_of(database)
    older = await make_run(database, job_id, created_at=now + timedelta(days=1))

    await ask(world.contributor, mutation, id=job_id, at=now.isoformat())

    job = (await ask(world.viewer, LATEST, id=job_id))["job"]
    assert [each["id"] for each in job["runs"]["nodes"]] == [job["latestRun"]["id"], older.id]
    assert [each["run"]["id"] for each in await claim(ask, world)] == [job["latestRun"]["id"]]


@pytest.mark.parametrize("mutation", [TRIGGER, HOLD, SCHEDULE], ids=["trigger", "hold", "schedule"])
async def test_workers_run_a_job_that_was_changed_before_the_clock_was_set_back(
    ask: Ask, world: World, database: Database, mutation: str
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    now = await time_of(database)
    async with AsyncSession(database.writes) as session, session.begin():
        (await session.get_one(Job, job_id)).updated_at = now + timedelta(days=1)

    await ask(world.contributor, mutation, id=job_id, at=now.isoformat())
    run_id = (await ask(world.viewer, LATEST, id=job_id))["job"]["latestRun"]["id"]
    await ask(world.contributor, RELEASE, id=run_id)
    claimed = await claim(ask, world)
    reports = [await report(ask, world, run_id, state) for state in ("RUNNING", "FAILED")]

    assert [each["run"]["id"] for each in claimed] == [run_id]
    assert [each["userErrors"] for each in reports] == [[], []]
    assert now.isoformat() < reports[0]["leaseExpiresAt"] < (now + timedelta(hours=1)).isoformat()


async def test_runs_that_were_made_before_the_clock_was_set_back_are_given_to_workers(
    ask: Ask, world: World, database: Database
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    day = timedelta(days=1)
    ahead = await time_of(database) + day
    ready = {"status": JobRunStatus.READY, "created_at": ahead, "available_at": ahead}
    manual = await make_run(database, job_id, **ready)
    due = await make_run(database, job_id, **ready, scheduled_for=ahead - 2 * day)
    await make_run(database, job_id, **ready, scheduled_for=ahead)
    assert await claim(ask, world) == []

    await correct_times(database)

    assert {each["run"]["id"] for each in await claim(ask, world)} == {manual.id, due.id}


async def test_runs_are_corrected_however_many_retries_wait(
    ask: Ask, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_times, "AT_ONCE", 2)
    job_id = await ask.create_job(world.contributor, world, config=config(world, retryDelaySeconds=7200))
    now = await time_of(database)
    for _ in range(3):
        await make_run(database, job_id, status=JobRunStatus.READY, retries=1, available_at=now + timedelta(minutes=90))
    for _ in range(5):
        await make_run(database, job_id, status=JobRunStatus.READY, available_at=now + timedelta(hours=1))

    await correct_times(database)

    assert len(await claim(ask, world)) == 5


async def test_retries_before_the_clock_was_set_back_wait_for_their_delay_only(
    ask: Ask, world: World, database: Database
) -> None:
    job_id = await ask.create_job(world.contributor, world, config=config(world, retryDelaySeconds=3600))
    now = await time_of(database)
    ready = {"status": JobRunStatus.READY, "retries": 1}
    for available_at in (now + timedelta(minutes=30), now + timedelta(days=1)):
        await make_run(database, job_id, **ready, available_at=available_at)

    await correct_times(database)

    async with AsyncSession(database.reads) as session:
        found = await session.scalars(select(JobRun.available_at).order_by(JobRun.available_at))
        earlier, later = [each - now for each in found if each is not None]
    assert earlier == timedelta(minutes=30)
    assert timedelta(hours=1) <= later < timedelta(hours=2)


async def test_a_lease_from_before_the_clock_was_set_back_ends_within_an_hour(
    ask: Ask, world: World, database: Database
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await ask(world.contributor, TRIGGER, id=job_id)
    await claim(ask, world, leaseSeconds=3600)
    async with AsyncSession(database.writes) as session, session.begin():
        lease = (await session.scalars(select(RunLease))).one()
        before, lease.expires_at = lease.expires_at, lease.expires_at + timedelta(days=1)

    await correct_times(database)

    async with AsyncSession(database.reads) as session:
        corrected = (await session.scalars(select(RunLease.expires_at))).one()
    assert before <= corrected < before + timedelta(hours=1)


async def test_a_change_that_waited_for_a_lock_has_a_later_time(postgres_url: str) -> None:
    """On SQLite a transaction waits before its first statement."""
    database = Database.open(postgres_url)
    world = await make_world(database)
    ask = Ask(database)
    job_id = await ask.create_job(world.contributor, world)

    async with AsyncSession(database.writes) as session:
        await Write(session, caller(world.contributor)).job(job_id, JobPermission.EDIT)
        waiting = asyncio.ensure_future(ask(world.contributor, UPDATE, i={"jobId": job_id, "name": "Later"}))
        await until_waiting(database, waiting)
        job = await session.get_one(Job, job_id)
        job.revision += 1
        await session.flush()
        held_until = await clock.read_clock(session)
        await session.commit()
        answer = await waiting

    await database.close()
    assert datetime.fromisoformat(answer["updateJob"]["job"]["updatedAt"]) >= held_until
