"""The changes of a dry run replace stored rows; unchanged rows are still read by their indexes."""

import re
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from mainsheet.models.organization import Organization
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.team import Team
from mainsheet.resolvers import job, job_version, organization, team
from mainsheet.resolvers.sql import overlay as overlays
from mainsheet.resolvers.sql.overlay import Changed, Recorder, Shape
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Query, compiled_statement
from testbed.world import World, caller
from tests.resolvers.queries import queries

JOBS: Any = Job.__table__  # declared as any selectable
VERSIONS: Any = JobVersion.__table__
(OF_JOB,) = (each for each in VERSIONS.foreign_key_constraints if each.referred_table is JOBS)
DRAFTED: Shape = (
    Changed(JOBS, inserted=False, updated=("event_count", "last_number", "revision"), removed=False),
    Changed(VERSIONS, inserted=True, updated=(), removed=False),
)
DELETED: Shape = (
    Changed(JOBS, inserted=False, updated=(), removed=True),
    Changed(VERSIONS, inserted=False, updated=(), removed=False, cascades=(OF_JOB,)),
)
QUERIES = [
    each
    for each in (*queries(job), *queries(job_version))
    if each is not job_version.OF_JOBS.rows  # which reads in the order of its list
]
# Without these a plan that looks no row up by an index has to go through the whole of one.
LOOKED_UP = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
STORED = re.compile(r"Index (?:Only )?Scan using \w+ on job(?:_version)? stored\w*")


@pytest.mark.parametrize("shape", [DRAFTED, DELETED], ids=["drafted", "deleted"])
@pytest.mark.parametrize("one_key", [True, False])
@pytest.mark.parametrize("role", [OrganizationRole.ADMIN, OrganizationRole.MEMBER])
@pytest.mark.parametrize(
    "query",
    QUERIES,
    ids=lambda query: f"{query.build.__module__}.{query.build.__name__}",
)
async def test_stored_rows_are_looked_up_by_index(
    postgres_url: str, query: Query[Any], role: OrganizationRole, one_key: bool, shape: Shape
) -> None:
    database = Database.open(postgres_url)
    prepared = compiled_statement(database.dialect, role, None, query.build, (), one_key=one_key, overlay=shape)
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(LOOKED_UP)
        await driver.execute(f"PREPARE looked_up AS {prepared.sql}")
        nothing = ", ".join(["NULL"] * max(map(int, re.findall(r"\$(\d+)", prepared.sql))))
        plan = [line[0] for line in await driver.fetch(f"EXPLAIN EXECUTE looked_up({nothing})")]
    await database.close()

    assert not any("Seq Scan on job" in line for line in plan), "\n".join(plan)
    conditions = [plan[index + 1] for index, line in enumerate(plan) if STORED.search(line)]
    assert all("Index Cond" in line for line in conditions), "\n".join(plan)


async def test_inserted_updated_and_removed_rows_of_one_transaction(database: Database, world: World) -> None:
    asker = caller(world.contributor)
    async with AsyncSession(database.writes, autoflush=False) as session:
        recorder = Recorder(session)
        kept = await session.get_one(Team, world.analytics.id)
        kept.name, kept.description = "renamed", 'with "quotes" and \\'
        await session.delete(await session.get_one(Team, world.platform.id))
        session.add(Team(id="TM1", organization_id=world.organization.id, name="added", description=None))
        passing = Team(id="TM2", organization_id=world.organization.id, name="passing", description=None)
        session.add(passing)
        await session.flush()
        await session.delete(passing)
        await session.flush()
        overlay = recorder.overlay()

    read = Read.of(database, asker, overlay)
    ids = [world.analytics.id, world.data_eng.id, world.platform.id, "TM1", "TM2"]
    found = await team.by_ids(read, ids)
    untouched = await organization.by_ids(read, [world.organization.id])
    await read.close()

    assert {each.name for each in found.values()} == {"renamed", "data-eng", "added"}
    assert found[world.analytics.id].description == 'with "quotes" and \\'
    assert {each.table.name for each in overlay.shape} == {"team", "team_member", "deleted_job_team"}
    assert untouched[world.organization.id].name == "harbor"


async def test_an_unchanged_table_is_read_directly(database: Database, world: World) -> None:
    async with AsyncSession(database.writes, autoflush=False) as session:
        recorder = Recorder(session)
        own = await session.get_one(Organization, world.organization.id)
        own.name = own.name
        await session.flush()

        assert recorder.overlay().shape == ()


@pytest.mark.parametrize(("most", "shown"), [(2, "renamed"), (1, "before")])
async def test_a_bulk_update_of_too_many_rows_is_not_recorded(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch, most: int, shown: str
) -> None:
    monkeypatch.setattr(overlays, "MOST_RECORDED", most)
    asker, ids = caller(world.contributor), [world.analytics.id, world.platform.id]
    async with AsyncSession(database.writes, autoflush=False) as session, session.begin():
        await session.execute(update(Team).where(Team.id.in_(ids)).values(description="before"))
    async with AsyncSession(database.writes, autoflush=False) as session:
        recorder = Recorder(session)
        await session.execute(update(Team).where(Team.id.in_(ids)).values(description="renamed"))
        read = Read.of(database, asker, recorder.overlay())
        await session.rollback()

    found = await team.by_ids(read, ids)
    await read.close()

    assert [found[each].description for each in ids] == [shown, shown]
