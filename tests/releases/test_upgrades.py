"""Upgrades of databases from each released version to this one, without loss of data."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.member import Member
from mainsheet.models.migrate import drift, upgrade
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.run_lease import RunLease
from mainsheet.models.unfit import unfit
from mainsheet.resolvers.commands.run_sweep import sweep
from mainsheet.server.commands.migrations import SHOWN
from testbed.ask import Ask
from testbed.databases import postgres_database
from tests.releases.kept import restore_postgresql, restore_sqlite, versions
from tests.releases.rows import every_row, lost
from tests.server.commands import mainsheet

# The columns that an upgrade must keep. Rows are sorted by them.
KEPT = {
    "organization": "id, name",
    "member": "id, email, organization_role",
    "team": "id, name",
    "team_member": "team_id, member_id, role",
    "cluster": "id, name, status",
    "saved_query": "id, name, text",
    "job": "id, job_key, name, status, revision, current_number, last_number, created_by_id",
    "job_team": "job_id, team_id, granted_by_id",
    "job_version": "id, job_id, number, status, cluster_id, cron, timezone, max_retries",
    "job_version_query": "version_id, position, query_id",
    "job_version_dependency": "version_id, position, depends_on_id",
    "job_run": "id, job_id, version_number, status",
}
RENAMED = {"member": "actor", "member_id": "actor_id", "text": "sql"}  # tables and columns with other names since
ADMIN = "admin@harbor.example"
HAS_DRAFT = (
    select(JobVersion.id).where(JobVersion.job_id == Job.id, JobVersion.status == JobVersionStatus.DRAFT).exists()
)
QUESTION = """{ jobs(limit: 100) { totalCount nodes { jobKey currentVersion { number cluster { name } }
  versions { totalCount } latestRun { status } events { nodes { action } } } }
  found: jobs(filter: {search: "sales"}) { nodes { id } } }"""
OF_HARBOR = "organization_id = (SELECT id FROM organization WHERE name = 'harbor') AND job_key < 'm'"
FIND = "query ($text: String!) { jobs(filter: {search: $text}) { nodes { id } } }"
WITH_DEPENDENCY = """SELECT v.id, v.number, v.published_by_id, d.depends_on_id FROM job_version v
  JOIN job_version_dependency d ON d.version_id = v.id AND d.position = 0 WHERE v.status = 'PUBLISHED'
  AND EXISTS (SELECT 1 FROM job_version_dependency o WHERE o.version_id = v.id AND o.position = 1)
  ORDER BY v.id LIMIT 1"""
OF_VERSION = "organization_id, job_id, status, revision, message, cluster_id, source_kind, source, execution_mode, "
OF_VERSION += "environment, max_retries, retry_delay_seconds, created_at, created_by_id, published_at, published_by_id"
EVENTS = """SELECT job_id, action, to_version_number AS to_version, actor_id, occurred_at FROM event
  ORDER BY job_id, number"""
EDITED = "SELECT job_id, number, edited_at, edited_by_id FROM job_version"
MOVES = {"DRAFT_PUBLISHED", "VERSION_CREATED", "VERSION_ACTIVATED"}
COPY = f"""INSERT INTO job_version (id, number, based_on_number, {OF_VERSION})
  SELECT :new, :number, number, {OF_VERSION} FROM job_version WHERE id = :id"""
DEPENDENCY = "job_version_dependency (organization_id, version_id, position, depends_on_id, condition)"
COPY_DEPENDENCIES = f"""INSERT INTO {DEPENDENCY}
  SELECT organization_id, :new, position, depends_on_id, condition FROM job_version_dependency WHERE version_id = :id"""
ADD_DEPENDENCY = f"""INSERT INTO {DEPENDENCY}
  SELECT organization_id, version_id, 99, depends_on_id, condition FROM job_version_dependency
  WHERE version_id = :id AND position = 0"""
OF_VERSIONS = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on JobVersion {
  dependencies { id job { id } jobKey isDeleted } changes { path } } } }"""
CREATE_VERSION = """mutation ($input: CreateVersionInput!) {
  createVersion(input: $input) { version { number } userErrors { message } } }"""


@pytest.fixture(params=["sqlite", "postgresql"])
async def released(request: pytest.FixtureRequest, version: str, tmp_path: Path) -> AsyncIterator[Database]:
    """The stored database of the released version."""
    if request.param == "sqlite":
        database = Database.open(restore_sqlite(version, tmp_path / "released.sqlite3"))
        yield database
        await database.close()
        return
    async with postgres_database(request.getfixturevalue("postgres_server")) as url:
        restore_postgresql(version, url)
        database = Database.open(url)
        yield database
        await database.close()


def test_a_release_is_stored() -> None:
    assert versions()


@pytest.mark.parametrize("version", versions())
async def test_a_released_database_is_upgraded_without_loss(released: Database, version: str) -> None:
    before = await kept(released, {} if version == "0.1.0" else RENAMED)

    await upgrade(released)

    assert await drift(released) == []
    assert await kept(released, RENAMED) == before
    assert all(before.values())


@pytest.mark.parametrize("version", sorted(set(versions()) - {"0.1.0"}))
async def test_an_upgrade_keeps_every_row(released: Database) -> None:
    before = await every_row(released)

    await upgrade(released)

    assert lost(before, await every_row(released)) == []


@pytest.mark.parametrize("version", ["0.1.0"])
async def test_runs_that_were_running_can_end(released: Database) -> None:
    async with released.writes.begin() as connection:
        run_id = await connection.scalar(text("SELECT min(id) FROM job_run"))
        running = "UPDATE job_run SET status = 'RUNNING', started_at = NULL, finished_at = NULL WHERE id = :id"
        await connection.execute(text(running), {"id": run_id})

    await upgrade(released)

    async with AsyncSession(released.writes) as session, session.begin():
        lease, run = await session.get_one(RunLease, run_id), await session.get_one(JobRun, run_id)
        assert (lease.attempt, lease.has_reported, run.attempt) == (1, True, 1)
        assert lease.expires_at > await read_clock(session)
        await session.execute(update(RunLease).values(expires_at=run.created_at))
    assert await sweep(released) > 0
    async with AsyncSession(released.reads) as session:
        assert (await session.get_one(JobRun, run_id)).status in (JobRunStatus.READY, JobRunStatus.FAILED)


@pytest.mark.parametrize("version", ["0.1.0"])
async def test_texts_of_an_upgraded_database_can_be_searched(released: Database) -> None:
    name = unicodedata.normalize("NFD", " İstanbul Größe")
    async with released.writes.begin() as connection:
        job = (await connection.execute(text(f"SELECT id, job_key FROM job WHERE {OF_HARBOR} LIMIT 1"))).one()
        searched = f"{job.job_key}\n{name}\n".casefold()  # as 0.1.0 folded it
        values = {"id": job.id, "name": name, "searched": searched}
        await connection.execute(
            text("UPDATE job SET name = :name, search_text = :searched, description = NULL WHERE id = :id"), values
        )

    await upgrade(released)

    async with AsyncSession(released.reads, expire_on_commit=False) as session:
        admin = (await session.scalars(select(Member).where(Member.email == ADMIN))).one()
    for part in ("istanbul", "Größe", "gr"):
        found = await Ask(released)(admin, FIND, text=part)
        assert job.id in [each["id"] for each in found["jobs"]["nodes"]]
    assert [(each.table, each.id) async for each in unfit(released)] == [("job", job.id)]


@pytest.mark.parametrize("version", ["0.1.0"])
async def test_db_upgrade_lists_unfit_values(released: Database) -> None:
    async with released.writes.begin() as connection:
        await connection.execute(text("UPDATE job SET description = '\u202e'"))
        jobs = await connection.scalar(text("SELECT count(*) FROM job"))
    url = released.url

    commands = (("upgrade",), ("check", "--values"))
    upgraded, checked = [await asyncio.to_thread(mainsheet, "db", *each, "--database-url", url) for each in commands]

    assert (upgraded.returncode, checked.returncode) == (0, 0)
    assert jobs > SHOWN
    assert upgraded.stdout.count("description: Must not contain the character U+202E.\n") == SHOWN
    assert f"{jobs}. They stay usable. The first {SHOWN} are shown" in upgraded.stdout
    assert checked.stdout.count("description: Must not contain the character U+202E.\n") == jobs


async def kept(database: Database, renamed: Mapping[str, str] = {}) -> dict[str, Sequence[Row[Any]]]:
    def now(statement: str) -> str:
        return re.sub(r"\w+", lambda name: renamed.get(name[0], name[0]), statement)

    async with database.reads.connect() as connection:
        return {
            table: (await connection.execute(text(now(f"SELECT {columns} FROM {table} ORDER BY {columns}")))).all()
            for table, columns in KEPT.items()
        }


OLD_EVENTS = """SELECT job_id, 'EV' || substr(id, 3) AS id, actor_id, message, from_version, to_version, job_key
  FROM job_event ORDER BY job_id, sequence"""
NEW_EVENTS = """SELECT job_id, id, actor_id, message, from_version_number, to_version_number, subject_label
  FROM event ORDER BY job_id, position"""
MISNAMED = """SELECT count(*) FROM event WHERE subject_id <> job_id OR action IN ('TEAMS_ADDED', 'TEAM_REMOVED')"""


@pytest.mark.parametrize("version", ["0.1.0"])
async def test_the_history_of_jobs_becomes_events_in_the_same_order(released: Database) -> None:
    async with released.reads.connect() as connection:
        before = (await connection.execute(text(OLD_EVENTS))).all()

    await upgrade(released)

    async with released.reads.connect() as connection:
        assert (await connection.execute(text(NEW_EVENTS))).all() == before
        assert await connection.scalar(text(MISNAMED)) == 0
        teams = await connection.scalars(select(Event.team_ids).where(Event.job_id == before[0].job_id))
        granted = await connection.scalars(select(JobTeam.team_id).where(JobTeam.job_id == before[0].job_id))
        assert set(teams.first() or []) == set(granted)


@pytest.mark.parametrize("version", ["0.1.0"])
async def test_edits_and_activations_come_from_the_history(released: Database) -> None:
    """The demo of 0.1.0 has drafts that were updated and versions that were activated."""
    await upgrade(released)

    async with released.reads.connect() as connection:
        events = (await connection.execute(text(EVENTS))).all()
        versions = (await connection.execute(text(EDITED))).all()
        jobs = (await connection.execute(text("SELECT id, activated_at FROM job"))).all()
    edits = {(each.job_id, each.to_version): each for each in events if each.action == "DRAFT_UPDATED"}
    moves = {each.job_id: each.occurred_at for each in events if each.action in MOVES}
    assert edits
    for row in versions:
        edit = edits.get((row.job_id, row.number))
        assert (row.edited_at, row.edited_by_id) == ((edit.occurred_at, edit.actor_id) if edit else (None, None))
    assert {row.id: row.activated_at for row in jobs} == {row.id: moves.get(row.id) for row in jobs}
    assert {None} < {row.activated_at for row in jobs}


@pytest.mark.parametrize("version", versions())
async def test_constraints_hold_in_an_upgraded_database(released: Database) -> None:
    await upgrade(released)

    for statement in (
        "UPDATE job SET current_number = last_number + 1, last_number = last_number + 1",
        "UPDATE job SET job_key = (SELECT min(job_key) FROM job)",
        "UPDATE job_version SET status = 'DRAFT', published_at = NULL WHERE number = 1",
        "UPDATE job_run SET version_number = 999",
        "UPDATE team_member SET organization_id = (SELECT max(id) FROM organization)",
        "INSERT INTO cluster (id, organization_id, name, status, revision) VALUES ('CL1', 'OR1', 'a', 'ACTIVE', 1)",
    ):
        with pytest.raises(IntegrityError):
            async with released.writes.begin() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize("version", ["0.1.0"])
async def test_dependencies_that_an_earlier_release_removed_are_shown_as_deleted(released: Database) -> None:
    """Two versions depended on two jobs; 0.1.0 deleted the first. The versions still agree afterwards."""
    async with released.writes.begin() as connection:
        version = (await connection.execute(text(WITH_DEPENDENCY))).first()
        assert version
        await connection.execute(text(COPY), {"id": version.id, "new": "JV0", "number": version.number + 100})
        await connection.execute(text(COPY_DEPENDENCIES), {"id": version.id, "new": "JV0"})
        await connection.execute(text("DELETE FROM job WHERE id = :id"), {"id": version.depends_on_id})
    before = await kept(released)

    await upgrade(released)

    assert await kept(released, RENAMED) == before
    async with AsyncSession(released.reads, expire_on_commit=False) as session:
        admin = (await session.scalars(select(Member).where(Member.id == version.published_by_id))).one()
        admin.organization_role = OrganizationRole.ADMIN
    shown = (await Ask(released)(admin, OF_VERSIONS, ids=[version.id, "JV0"]))["nodes"]
    for each in shown:
        first = each["dependencies"][0]
        assert (first["job"], first["jobKey"], first["isDeleted"]) == (None, None, True)
        assert all(other["job"] and not other["isDeleted"] for other in each["dependencies"][1:])
    ids = [dependency["id"] for each in shown for dependency in each["dependencies"]]
    assert len(set(ids)) == len(ids)
    assert [each["path"] for each in shown[1]["changes"] if each["path"][0] == "dependencies"] == []


@pytest.mark.parametrize("version", ["0.1.0"])
@pytest.mark.parametrize("released", ["postgresql"], indirect=True)
async def test_a_process_of_the_release_before_adds_dependencies_and_removes_none(released: Database) -> None:
    await upgrade(released)

    async with released.writes.begin() as connection:
        version = (await connection.execute(text(WITH_DEPENDENCY))).one()
        await connection.execute(text(ADD_DEPENDENCY), {"id": version.id})
        added = await connection.scalar(
            text("SELECT id FROM job_version_dependency WHERE version_id = :id AND position = 99"), {"id": version.id}
        )

    assert re.fullmatch("JD[0-9A-F]{18}", added)
    with pytest.raises(IntegrityError):
        async with released.writes.begin() as connection:
            await connection.execute(text("DELETE FROM job WHERE id = :id"), {"id": version.depends_on_id})


@pytest.mark.parametrize("version", versions())
async def test_the_api_works_on_an_upgraded_database(released: Database) -> None:
    await upgrade(released)
    async with AsyncSession(released.reads, expire_on_commit=False) as session:
        admin = (await session.scalars(select(Member).where(Member.email == ADMIN))).one()
        own = (await session.scalars(select(Job).where(Job.organization_id == admin.organization_id))).all()
        job = (await session.scalars(select(Job).where(Job.id.in_(each.id for each in own), ~HAS_DRAFT))).first()
        assert job
    ask = Ask(released)

    answer = await ask(admin, QUESTION)
    changed = await ask(admin, CREATE_VERSION, input={"jobId": job.id, "changes": {"maxRetries": 7}})

    assert answer["jobs"]["totalCount"] == len(answer["jobs"]["nodes"]) == len(own)
    assert answer["found"]["nodes"]
    assert changed["createVersion"] == {"version": {"number": job.last_number + 1}, "userErrors": []}
