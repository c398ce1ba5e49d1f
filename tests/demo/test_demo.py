"""The demo data: what it contains, and that the models' methods would give the same rows.

Longer than 300 lines: one subject, of which most lines are cases and their data.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from mainsheet.demo import DEMO_MEMBERS, NotSeeded, seed_demo, seed_jobs
from mainsheet.demo.bulk_rows import written_columns
from mainsheet.demo.crowd import Crowd
from mainsheet.demo.template import harbor
from mainsheet.models.actor import Actor, ActorKind, ActorStatus
from mainsheet.models.base import Base
from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.input_values import value_problems
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_run import UNFINISHED, JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.references import References
from mainsheet.models.roles import JobPermission, OrganizationRole, TeamRole
from mainsheet.models.run_lease import RunLease
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.search_text import search_text
from mainsheet.models.source import SourceKind
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.commands.run_times import correct_times
from mainsheet.resolvers.permissions import granted, roles_in_jobs, visible

FLEET = Job.job_key.startswith("fleet-")
POINTER_MOVES = {
    EventAction.JOB_CREATED,
    EventAction.VERSION_CREATED,
    EventAction.DRAFT_PUBLISHED,
    EventAction.VERSION_ACTIVATED,
}


def ignore(_done: int) -> None:
    pass


class Interrupted(Exception):
    """Raised in place of a user's Ctrl-C."""


def interrupt(_done: int) -> None:
    raise Interrupted


@pytest.fixture
def demo(demo_database: Database) -> Database:
    return demo_database


@pytest.fixture
async def session(demo: Database) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(demo.reads) as session:
        yield session


async def test_the_demo_has_two_organizations_with_jobs(session: AsyncSession) -> None:
    counted = (
        select(Organization.name, func.count())
        .join(Job, Job.organization_id == Organization.id)
        .group_by(Organization.name)
    )

    assert dict((await session.execute(counted)).all()) == {"harbor": 36, "lagoon": 6}


async def test_progress_is_reported_for_each_job(database: Database) -> None:
    done: list[int] = []

    await seed_demo(database, done.append)

    assert done == list(range(1, 43))


async def test_a_second_seed_keeps_changes(demo: Database) -> None:
    async with demo.writes.begin() as connection:
        await connection.execute(update(Job).where(Job.job_key == "orders-ingest").values(name="Mine"))
        await connection.execute(update(Organization).where(Organization.name == "harbor").values(name="Mine"))
    before = await _everything(demo)

    await seed_demo(demo)

    assert await _everything(demo) == before


async def test_the_demo_has_every_status_and_kind(session: AsyncSession) -> None:
    clusters = set(await session.scalars(select(Cluster.status)))
    sources = set(await session.scalars(select(JobVersion.source_kind)))
    jobs = set(await session.scalars(select(Job.status)))
    runs = set(await session.scalars(select(JobRun.status)))
    numbers = set(await session.scalars(select(Job.last_number)))
    timezones = set(await session.scalars(select(JobVersion.timezone)))

    assert (clusters, sources) == (set(ClusterStatus), set(SourceKind))
    assert (jobs, runs) == (set(JobStatus), set(JobRunStatus))
    assert numbers >= {1, 2, 3, 4, 5, 6}
    assert len(timezones) > 5


async def test_the_demo_has_service_accounts_and_disabled_actors(session: AsyncSession) -> None:
    found = (
        await session.execute(select(Actor.kind, Actor.status, func.count()).group_by(Actor.kind, Actor.status))
    ).all()

    assert {(kind, status): number for kind, status, number in found} == {
        (ActorKind.MEMBER, ActorStatus.ACTIVE): 16,
        (ActorKind.MEMBER, ActorStatus.DISABLED): 2,
        (ActorKind.SERVICE_ACCOUNT, ActorStatus.ACTIVE): 3,
        (ActorKind.SERVICE_ACCOUNT, ActorStatus.DISABLED): 1,
    }
    assert await session.scalar(select(func.count()).where(TeamMember.actor_id.startswith("SA"))) == 7


async def test_failed_demo_runs_have_errors_and_manual_ones_an_actor(session: AsyncSession) -> None:
    runs = (await session.scalars(select(JobRun))).all()

    assert {each.status is JobRunStatus.FAILED for each in runs if each.error_message} == {True}
    assert all(each.error_message for each in runs if each.status is JobRunStatus.FAILED)
    assert len({each.error_code for each in runs if each.status is JobRunStatus.FAILED}) > 1
    assert all((each.triggered_by_id is not None) == (each.trigger is JobRunTrigger.MANUAL) for each in runs)
    assert all((each.log_url is not None) == (each.started_at is not None) for each in runs)


async def test_a_running_demo_run_has_a_lease(session: AsyncSession) -> None:
    running = set(await session.scalars(select(JobRun.id).where(JobRun.status == JobRunStatus.RUNNING)))

    assert running == set(await session.scalars(select(RunLease.run_id)))


async def test_the_demo_needs_no_correction_of_times(demo_database: Database) -> None:
    with capture_logs() as log:
        await correct_times(demo_database)

    assert log == []


async def test_harbor_has_its_teams_and_five_saved_queries(session: AsyncSession) -> None:
    harbor = await _harbor(session)
    teams = await session.scalars(select(Team.name).where(Team.organization_id == harbor))
    queries = await session.scalars(select(SavedQuery.id).where(SavedQuery.organization_id == harbor))

    assert set(teams) == {"data-eng", "analytics", "platform"}
    assert len(queries.all()) >= 5


async def test_a_demo_job_was_rolled_back_and_some_have_a_draft(session: AsyncSession) -> None:
    jobs = (await session.scalars(select(Job))).all()

    assert [each for each in jobs if each.current_number < each.last_number and not each.draft]
    assert len([each for each in jobs if each.draft]) >= 5


async def test_each_demo_member_sees_different_jobs(session: AsyncSession) -> None:
    seen = {email: await _seen(session, email) for email in DEMO_MEMBERS}

    admin, auditor, team_admin, contributor, viewer, lagoon = seen.values()
    assert len(admin) == 36
    assert auditor == admin
    assert viewer | team_admin == contributor
    assert all(0 < len(each) < len(contributor) < 36 for each in (viewer, team_admin))
    assert viewer & team_admin
    assert len(lagoon) == 6
    assert not lagoon & admin


@pytest.mark.parametrize(
    ("email", "sets"),
    [
        ("admin@harbor.example", {"VIEW EDIT RUN MANAGE_TEAMS DELETE"}),
        ("auditor@harbor.example", {"VIEW"}),
        ("team-admin@harbor.example", {"VIEW EDIT RUN MANAGE_TEAMS DELETE"}),
        ("contributor@harbor.example", {"VIEW EDIT RUN", "VIEW"}),
        ("viewer@harbor.example", {"VIEW"}),
        ("admin@lagoon.example", {"VIEW EDIT RUN MANAGE_TEAMS DELETE"}),
    ],
)
async def test_each_demo_member_has_the_documented_permissions(
    session: AsyncSession, email: str, sets: set[str]
) -> None:
    caller = await _caller(session, email)

    rights = {
        frozenset(granted(caller, (await session.scalars(_roles(caller, job_id))).all()))
        for job_id in await _seen(session, email)
    }

    assert rights == {frozenset(map(JobPermission, each.split())) for each in sets}


async def test_demo_changes_were_made_by_permitted_members(session: AsyncSession) -> None:
    for job in await session.scalars(select(Job)):
        for event in await _history(session, job):
            member = await session.get_one(Member, event.actor_id)
            caller = Caller(member.id, member.organization_id, member.organization_role)
            roles = (await session.scalars(_roles(caller, job.id))).all()
            assert JobPermission.EDIT in granted(caller, roles), (job.job_key, event.action)


async def test_every_demo_job_agrees_with_its_history(session: AsyncSession) -> None:
    await _check_all(session, (await session.scalars(select(Job))).all())


async def test_every_generated_job_agrees_with_its_history(demo: Database) -> None:
    await seed_jobs(demo, 120, 1, ignore)

    async with AsyncSession(demo.reads) as session:
        jobs = (await session.scalars(select(Job).where(FLEET))).all()
        assert len(jobs) == 120
        await _check_all(session, jobs)


async def test_a_generated_job_has_versions_runs_and_teams(demo: Database) -> None:
    await seed_jobs(demo, 60, 1, ignore)

    async with AsyncSession(demo.reads) as session:
        for job in await session.scalars(select(Job).where(FLEET)):
            assert await _count(session, JobVersion, JobVersion.job_id == job.id) == 5
            assert await _count(session, JobRun, JobRun.job_id == job.id) == 10
            assert 1 <= len(job.teams) <= 3


async def test_the_same_seed_on_the_same_state_gives_the_same_jobs(demo: Database) -> None:
    before = await _everything(demo)
    await seed_jobs(demo, 30, 7, ignore)
    first = await _everything(demo)
    await _forget_generated_jobs(demo)
    assert await _everything(demo) == before

    await seed_jobs(demo, 30, 7, ignore)

    assert await _everything(demo) == first


async def test_the_same_seed_again_adds_different_jobs(demo: Database) -> None:
    await seed_jobs(demo, 3, 7, ignore)
    await seed_jobs(demo, 3, 7, ignore)

    async with AsyncSession(demo.reads) as session:
        keys = await session.scalars(select(Job.job_key).where(FLEET).order_by(Job.job_key))
        assert [key[:13] for key in keys] == [f"fleet-{number:07}" for number in range(1, 7)]


async def test_the_number_of_a_deleted_job_isnt_reused(demo: Database) -> None:
    await seed_jobs(demo, 2, 7, ignore)
    async with demo.writes.begin() as connection:
        await connection.execute(delete(Job).where(FLEET))

    await seed_jobs(demo, 1, 7, ignore)

    async with AsyncSession(demo.reads) as session:
        (key,) = await session.scalars(select(Job.job_key).where(FLEET))
        assert key.startswith("fleet-0000003-")


async def test_an_interrupted_seed_continues_with_the_same_jobs(demo: Database) -> None:
    await seed_jobs(demo, 1300, 7, ignore)
    whole = await _everything(demo)
    await _forget_generated_jobs(demo)
    with pytest.raises(Interrupted):
        await seed_jobs(demo, 1300, 7, interrupt)

    await seed_jobs(demo, 1300 - 500, 7, ignore)

    assert await _everything(demo) == whole


async def test_generated_jobs_add_teams_and_members(demo: Database) -> None:
    await seed_jobs(demo, 1500, 1, ignore)
    await seed_jobs(demo, 1, 1, ignore)

    async with AsyncSession(demo.reads) as session:
        harbor = await _harbor(session)
        assert await _count(session, Team, Team.organization_id == harbor) == 7
        assert await _count(session, Member, Member.organization_id == harbor) == 30


async def test_100000_jobs_add_teams_and_members(demo: Database) -> None:
    async with demo.reads.connect() as connection:
        crowd = await Crowd(await harbor(connection), datetime.now(UTC), 1).of(connection, 100_000)

    places = Counter(each.actor_id for each in crowd if isinstance(each, TeamMember))
    assert {Team: 497, Member: 1986, Cluster: 93}.items() <= Counter(map(type, crowd)).items()
    assert Counter(places.values()) == {5: 1966, 50: 20}


async def test_generated_changes_are_made_by_permitted_members(demo: Database) -> None:
    await seed_jobs(demo, 2000, 1, ignore)
    may = select(JobTeam.job_id, TeamMember.actor_id).join(TeamMember, TeamMember.team_id == JobTeam.team_id)
    may = may.where(TeamMember.role != TeamRole.VIEWER)
    acted = select(Event.job_id, Event.actor_id).join(Job, Job.id == Event.job_id).where(FLEET).distinct()

    async with AsyncSession(demo.reads) as session:
        admins = set(await session.scalars(select(Member.id).where(Member.organization_role == OrganizationRole.ADMIN)))
        allowed = set((await session.execute(may)).all())
        actors = (await session.execute(acted)).all()
        assert len({actor for _, actor in actors}) > 20
        assert all(each in allowed or each[1] in admins for each in actors)


async def test_generated_jobs_are_written_in_chunks(demo: Database) -> None:
    done: list[int] = []

    await seed_jobs(demo, 501, 1, done.append)

    assert done == [500, 501]


async def test_jobs_are_not_generated_without_harbor(database: Database) -> None:
    with pytest.raises(NotSeeded, match="seed the demo data first"):
        await seed_jobs(database, 1, 1, ignore)


async def test_jobs_are_not_generated_without_an_active_cluster(demo: Database) -> None:
    async with demo.writes.begin() as connection:
        await connection.execute(update(Cluster).values(status=ClusterStatus.DESTROYED))

    with pytest.raises(NotSeeded, match="no active cluster"):
        await seed_jobs(demo, 1, 1, ignore)


async def _forget_generated_jobs(demo: Database) -> None:
    async with demo.writes.begin() as connection:
        generated = select(Job.id).where(FLEET)
        await connection.execute(delete(Event).where(Event.job_id.in_(generated)))
        await connection.execute(delete(Job).where(FLEET))


async def _everything(database: Database) -> dict[str, list[Any]]:
    async with database.reads.connect() as connection:
        return {
            table.name: list(await connection.execute(select(*written_columns(table)).order_by(*_key(table))))
            for table in Base.metadata.sorted_tables
        }


def _key(table: Table) -> list[Column[Any]]:
    """Return the primary key, or the id if the database sets the primary key, or the first column if there is no id."""
    own = written_columns(table)
    return [column for column in own if column.primary_key] or [table.c.get("id", own[0])]


async def _check_all(session: AsyncSession, jobs: Sequence[Job]) -> None:
    for job in jobs:
        assert not list(value_problems({"job_key": job.job_key, "name": job.name, "description": job.description}))
        history = await _history(session, job)
        _check_state(job, history)
        await _check_versions(session, job, history)
        await _check_runs(session, job, history)


def _check_state(job: Job, history: Sequence[Event]) -> None:
    assert len(history) == job.event_count
    assert job.revision == len([each for each in history if each.action is not EventAction.DRAFT_UPDATED])
    assert [each.occurred_at for each in history] == sorted(each.occurred_at for each in history)
    assert job.created_at == history[0].occurred_at
    assert job.updated_at <= history[-1].occurred_at < datetime.now(UTC)
    assert {each.subject_label for each in history} == {job.job_key}
    assert job.search_text == search_text(job.job_key, job.name, job.description)
    assert job.id[:11] == new_id("JB", job.created_at)[:11]
    assert job.teams


async def _check_versions(session: AsyncSession, job: Job, history: Sequence[Event]) -> None:
    versions = (await session.scalars(select(JobVersion).where(JobVersion.job_id == job.id))).all()
    published = {each.number for each in versions if each.status is JobVersionStatus.PUBLISHED}
    drafts = [each.number for each in versions if each.status is JobVersionStatus.DRAFT]
    assert job.current_number == _pointer(history)
    assert (job.current_cluster_id, job.is_scheduled) == (job.current.cluster_id, job.current.cron is not None)
    assert job.current_number in published
    assert drafts in ([], [job.last_number])
    assert max(each.to_version_number or 0 for each in history) == job.last_number
    references = await _references(session, job)
    for version in versions:
        assert not list(version.config.problems((), references, job.id)), (job.job_key, version.number)
        assert not list(value_problems({"message": version.message}))


async def _check_runs(session: AsyncSession, job: Job, history: Sequence[Event]) -> None:
    for run in await session.scalars(select(JobRun).where(JobRun.job_id == job.id)):
        assert run.version_number == _pointer([each for each in history if each.occurred_at <= run.created_at])
        assert (run.finished_at is None) == (run.status in UNFINISHED)
        assert run.created_at <= (run.started_at or run.created_at) <= (run.finished_at or datetime.now(UTC))
        assert run.created_at <= datetime.now(UTC)


def _pointer(history: Sequence[Event]) -> int | None:
    return [each.to_version_number for each in history if each.action in POINTER_MOVES][-1]


async def _references(session: AsyncSession, job: Job) -> References:
    """Return the references that existed when the job was created. A dependency is an older job."""
    of = job.organization_id
    older = select(Job.id).where(Job.organization_id == of, Job.created_at < job.created_at)
    clusters = await session.execute(select(Cluster.id, Cluster.status).where(Cluster.organization_id == of))
    return References(
        clusters=dict(clusters.all()),
        queries=frozenset(await session.scalars(select(SavedQuery.id).where(SavedQuery.organization_id == of))),
        jobs=frozenset(await session.scalars(older)),
    )


async def _history(session: AsyncSession, job: Job) -> Sequence[Event]:
    lines = select(Event).where(Event.job_id == job.id).order_by(Event.number)
    return (await session.scalars(lines)).all()


async def _count(session: AsyncSession, model: type[Base], condition: Any) -> int | None:
    return await session.scalar(select(func.count()).select_from(model).where(condition))


async def _harbor(session: AsyncSession) -> str:
    return (await session.scalars(select(Organization.id).where(Organization.name == "harbor"))).one()


async def _caller(session: AsyncSession, email: str) -> Caller:
    member = (await session.scalars(select(Member).where(Member.email == email))).one()
    return Caller(member.id, member.organization_id, member.organization_role)


async def _seen(session: AsyncSession, email: str) -> set[str]:
    caller = await _caller(session, email)
    return set(await session.scalars(select(Job.id).where(visible(caller))))


def _roles(caller: Caller, job_id: str) -> Any:
    return roles_in_jobs(caller, [job_id]).with_only_columns(roles_in_jobs(caller, [job_id]).selected_columns.role)
