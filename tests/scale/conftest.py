"""Databases that are filled once for all tests: one is large enough to show scans in plans."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.demo import seed_demo, seed_jobs
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.member import Member
from mainsheet.models.roles import TeamRole
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.job_list import bounded_counts
from testbed.ask import Ask
from testbed.databases import postgres_database, sqlite_database
from tests.scale.plans import Plans

JOBS = 5000
few_jobs = pytest.mark.parametrize("jobs", [1000], ids=["few"])  # for tests of results, not of plans


@dataclass(frozen=True)
class Big:
    """`admin` sees all jobs; `member` is in the largest number of teams; `ids` are objects that `member` may edit."""

    url: str
    admin: Member
    member: Member
    ids: dict[str, str]
    plans: Plans


Bigs = Callable[[int], Big]


@pytest.fixture(scope="session")
def bigs_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bigs]:
    with asyncio.Runner() as runner:
        yield cache(
            lambda jobs: runner.run(_filled(sqlite_database(tmp_path_factory.mktemp("big"), sqlite_template), jobs))
        )


@pytest.fixture(scope="session")
def bigs_postgresql(postgres_server: str, postgres_template: str) -> Iterator[Bigs]:
    with asyncio.Runner() as runner:
        copies = AsyncExitStack()

        @cache
        def filled(jobs: int) -> Big:
            copy = postgres_database(postgres_server, postgres_template)
            return runner.run(_filled(runner.run(copies.enter_async_context(copy)), jobs))

        yield filled
        runner.run(copies.aclose())


@pytest.fixture
def jobs() -> int:
    return JOBS


@pytest.fixture(params=["sqlite", "postgresql"])
def big(request: pytest.FixtureRequest, jobs: int) -> Big:
    """Return the database of a kind with so many jobs, filled when it is first asked for and kept."""
    bigs: Bigs = request.getfixturevalue(f"bigs_{request.param}")
    return bigs(jobs)


async def _filled(url: str, jobs: int) -> Big:
    database = Database.open(url)
    try:
        await seed_demo(database)
        await seed_jobs(database, jobs, 1, lambda _done: None)
        async with AsyncSession(database.writes) as session, session.begin():
            return await _people(session, url)
    finally:
        await database.close()


async def _people(session: AsyncSession, url: str) -> Big:
    async def one(statement: Any) -> Any:
        return (await session.scalars(statement.limit(1))).one()

    in_most_teams = (
        select(TeamMember.actor_id).group_by(TeamMember.actor_id).order_by(func.count().desc(), TeamMember.actor_id)
    )
    member = await one(select(Member).where(Member.id == await one(in_most_teams)))
    administer = update(TeamMember).where(TeamMember.actor_id == member.id).values(role=TeamRole.ADMIN)
    team_ids = (await session.scalars(administer.returning(TeamMember.team_id))).all()
    shared = select(JobTeam).join(Job, Job.id == JobTeam.job_id).where(Job.job_key.startswith("fleet-"))
    grant = await one(shared.where(JobTeam.team_id.in_(team_ids)))
    job, team = await one(select(Job).where(Job.id == grant.job_id)), grant.team_id
    has = (await session.scalars(select(JobTeam.team_id).where(JobTeam.job_id == job.id))).all()
    other = next(each for each in team_ids if each not in has)
    ids = {"team": team, "other": other, "cluster": job.current_cluster_id, "job": job.id, "author": job.created_by_id}
    admin = await one(select(Member).where(Member.email == "admin@harbor.example"))
    session.expunge_all()
    return Big(url, admin, member, ids, Plans())


@pytest.fixture
async def big_database(big: Big) -> AsyncIterator[Database]:
    database = Database.open(big.url)
    yield database
    await database.close()


@pytest.fixture(scope="session", autouse=True)
def _counts_are_kept() -> Iterator[None]:
    """Don't count grants and jobs again in a slow test: it would find one statement more."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bounded_counts, "CACHE_SECONDS", 3600)
        yield


class Steps:
    """How many instructions SQLite's bytecode engine ran, in thousands. It is 0 on PostgreSQL, which doesn't say."""

    def __init__(self) -> None:
        self.thousands = 0

    def __call__(self) -> int:
        self.thousands += 1
        return 0  # go on


@pytest.fixture
async def steps(big_database: Database) -> Steps:
    """Count the instructions of reads that follow one another."""
    counted = Steps()
    if big_database.is_sqlite:
        connection = await big_database.read_pool.take()
        driver: Any = connection.driver_connection
        await driver.set_progress_handler(counted, 1000)
        await big_database.read_pool.give_back(connection)
    return counted


@pytest.fixture
def ask_big(big_database: Database) -> Ask:
    return Ask(big_database)
