"""A database with so many generated jobs, and whom and what of it is asked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.growth.filling import fill
from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionQuery
from mainsheet.models.member import Member
from mainsheet.models.roles import TeamRole
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.job_list.access_paths import BY_GRANTS, JobSortField
from testbed.databases import connected, postgres_database

PEOPLE = {"admin": "admin@harbor.example", "member": "contributor@harbor.example"}
TEAMS = 50
CONNECTIONS = 2  # one for reads, one for mutations


@dataclass(frozen=True)
class Grown:
    """`admin` sees all jobs, `member` those of fifty teams; `values` are those of the variables."""

    kind: str
    size: int
    database: Database
    backends: Sequence[int]  # PostgreSQL's processes that serve it
    people: Mapping[str, Member]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Places:
    """Where the databases are made: SQLite's in the folder, PostgreSQL's on the server."""

    folder: Path
    server: str
    is_kept: bool


@asynccontextmanager
async def grown(kind: str, size: int, places: Places) -> AsyncIterator[Grown]:
    """Make the database; unless it is kept, it is gone when this is left."""
    async with AsyncExitStack() as stack:
        if kind == "SQLite":
            url = f"sqlite:///{places.folder / str(size)}.sqlite3"
        elif places.is_kept:
            url = await _kept(places.server, f"mainsheet_growth_{size}")
        else:
            url = await stack.enter_async_context(postgres_database(places.server))
        yield await stack.enter_async_context(opened(kind, size, url))


async def _kept(server: str, name: str) -> str:
    async with connected(server) as connection:
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@asynccontextmanager
async def opened(kind: str, size: int, url: str) -> AsyncIterator[Grown]:
    """Fill the database, unless it is filled, and give it with whom and what to ask."""
    database = Database.open(url, pool_size=CONNECTIONS)
    try:
        await fill(database, url, size)
        async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
            people = {name: await _one(session, select(Member).where(Member.email == PEOPLE[name])) for name in PEOPLE}
            await _join(session, people["member"])
            values = await _values(session, people["member"])
        yield Grown(kind, size, database, await _backends(database), people, values)
    finally:
        await database.close()


async def _backends(database: Database) -> Sequence[int]:
    """Open the connection for reads and the one for writes, and return the processes that serve them."""
    if database.is_sqlite:
        return ()
    reads = await database.read_pool.take()
    await database.read_pool.give_back(reads)
    reader: Any = reads.driver_connection  # asyncpg's
    async with database.writes.connect() as connection:
        return [reader.get_server_pid(), await connection.scalar(text("SELECT pg_backend_pid()"))]


async def _join(session: AsyncSession, member: Member) -> None:
    """Bring the member into fifty teams, or all where there are fewer."""
    has = set(await session.scalars(select(TeamMember.team_id).where(TeamMember.actor_id == member.id)))
    of = member.organization_id
    new = select(Team.id).where(Team.organization_id == of, Team.id.not_in(has)).order_by(Team.id.desc())
    for team_id in await session.scalars(new.limit(TEAMS - len(has))):
        row = TeamMember(organization_id=of, team_id=team_id, actor_id=member.id, role=TeamRole.ADMIN)
        session.add(row)


async def _values(session: AsyncSession, member: Member) -> dict[str, Any]:
    """Choose what stands in the middle of what both people see."""
    await session.flush()
    admin_of = (TeamMember.actor_id == member.id) & (TeamMember.role == TeamRole.ADMIN)
    teams = await session.scalars(select(TeamMember.team_id).where(admin_of).order_by(TeamMember.team_id).limit(2))
    team, other = teams.all()
    of_team = select(Job).join(JobTeam, JobTeam.job_id == Job.id).where(JobTeam.team_id == team)
    job = await _one(session, of_team.where(Job.job_key.startswith("fleet-")).order_by(Job.created_at))
    current = select(JobVersion).where(JobVersion.job_id == job.id, JobVersion.number == job.current_number)
    run = select(JobRun.id).where(JobRun.job_id == job.id)
    own = select(Job).where(Job.organization_id == member.organization_id)
    cluster = await session.get_one(Cluster, (await _one(session, current)).cluster_id)
    queries = select(JobVersionQuery.query_id).join(JobVersion, JobVersion.id == JobVersionQuery.version_id)
    count = await session.scalar(select(func.count()).select_from(own.subquery())) or 0
    return {
        "job": job.id,
        "key": job.job_key,
        "author": job.created_by_id,
        "cluster": cluster.id,
        "clusterName": cluster.name,
        "teamName": (await session.get_one(Team, team)).name,
        "query": await _one(session, queries.where(JobVersion.organization_id == member.organization_id)),
        "run": await _one(session, run),
        "team": team,
        "other": other,
        "since": (await _at(session, own, Job.updated_at, count * 9 // 10)).updated_at.isoformat(),
        "created": (await _at(session, own, Job.created_at, count * 9 // 10)).created_at.isoformat(),
        "deep": count * 9 // 10 // 20,
        **{f"at{sort}": await _cursor(session, own, sort, count // 2) for sort in JobSortField},
    }


async def _cursor(session: AsyncSession, own: Any, sort: JobSortField, place: int) -> str:
    paged_list = BY_GRANTS[sort]
    rows = await session.execute(
        own.with_only_columns(Job.id, paged_list.by.label("sort_key"))
        .order_by(paged_list.by, Job.id)
        .offset(place)
        .limit(1)
    )
    row: Any = rows.one()  # the columns of a job that a cursor is made of
    return paged_list.cursor(row)


async def _at(session: AsyncSession, own: Any, by: Any, place: int) -> Job:
    found: Job = await _one(session, own.order_by(by).offset(place))
    return found


async def _one(session: AsyncSession, statement: Any) -> Any:
    return (await session.scalars(statement.limit(1))).one()
