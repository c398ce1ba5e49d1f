"""A database with fifty different objects of each type, to compare the costs of fifty and of one."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import AccessToken
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.executed_query import ExecutedQuery, SavedQueryRevision
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_config import Dependency, JobConfig
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.references import References
from mainsheet.models.roles import AccessScope, OrganizationRole, TeamRole
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.schedule import Schedule
from mainsheet.models.source import SavedQueries
from testbed.world import (
    make_cluster,
    make_member,
    make_membership,
    make_organization,
    make_saved_query,
    make_service_account,
    make_team,
    make_webhook,
    make_webhook_delivery,
)

SIZE = 50
START = datetime(2026, 1, 1, tzinfo=UTC)


async def make_crowd(database: Database) -> Member:
    """Return an administrator, who sees all objects."""
    async with AsyncSession(database.writes, expire_on_commit=False, autoflush=False) as session, session.begin():
        organization = await make_organization(session)
        admin = await make_member(session, organization, name="admin", organization_role=OrganizationRole.ADMIN)
        await _jobs(session, organization, admin)
        return admin


async def _jobs(session: AsyncSession, organization: Organization, admin: Member) -> None:
    members = [await make_member(session, organization) for _ in range(SIZE)]
    clusters = [await make_cluster(session, organization) for _ in range(SIZE)]
    accounts = [await make_service_account(session, organization) for _ in range(SIZE)]
    teams = [await make_team(session, organization) for _ in range(SIZE)]
    queries = [
        await make_saved_query(session, organization, team_id=team.id, created_by_id=member.id, updated_by_id=member.id)
        for team, member in zip(teams, members, strict=True)
    ]
    await _webhooks(session, organization, members)
    session.add_all(_token(each, admin) for member in members for each in (member, admin))
    job_ids = [await _last_job(session, members[0], clusters[0].id, queries[0].id, teams[0].id)]
    for index, member in enumerate(members):
        await make_membership(session, teams[index], member, TeamRole.CONTRIBUTOR)
        await make_membership(session, teams[index - 1], member)
        await make_membership(session, teams[index], accounts[index])
        source = SavedQueries((queries[index].id, queries[index - 1].id))
        config = JobConfig(
            cluster_id=clusters[index].id,
            source=source,
            dependencies=(Dependency(job_ids[-1]),),
            schedule=Schedule(cron=f"{index % 60} * * * *"),
        )
        edit = Edit(member.id, START + timedelta(minutes=index))
        job = _job(f"job-{index}", config, [teams[index].id, teams[index - 1].id], organization.id, edit)
        references = References(
            {config.cluster_id: ClusterStatus.ACTIVE}, frozenset(source.query_ids), frozenset({job_ids[-1]})
        )
        job.create_version({"max_retries": 1}, "twice", references, edit)
        job.create_draft({"max_retries": 2}, references, edit)
        runs = [_run(job, edit, minutes) for minutes in range(2)]
        session.add_all([job, *edit.events, *runs, _revision(queries[index])])
        await session.flush()
        session.add_all(_executed(run, queries[index]) for run in runs)
        await session.flush()
        job_ids.append(job.id)


async def _webhooks(session: AsyncSession, organization: Organization, members: list[Member]) -> None:
    for member in members:
        webhook = await make_webhook(session, organization, member)
        for _ in range(2):
            await make_webhook_delivery(session, webhook)


def _token(owner: Member, creator: Member) -> AccessToken:
    own = (owner.organization_id, owner.id, START)
    scopes = [AccessScope.READ]
    return AccessToken.issue(*own, expires_at=None, name=None, scopes=scopes, created_by_id=creator.id)[0]


async def _last_job(session: AsyncSession, member: Member, cluster_id: str, query_id: str, team_id: str) -> str:
    """Return a job that the first one depends on. A list of fifty doesn't contain it."""
    edit = Edit(member.id, START + timedelta(days=1))
    config = JobConfig(cluster_id=cluster_id, source=SavedQueries((query_id,)))
    job = _job("last-job", config, [team_id], member.organization_id, edit)
    session.add_all([job, *edit.events])
    await session.flush()
    return job.id


def _job(key: str, config: JobConfig, team_ids: list[str], organization_id: str, edit: Edit) -> Job:
    values = {"job_key": key, "name": key.title(), "description": None, "tags": ["daily", key]}
    return Job.create(values, config, team_ids, organization_id, edit)


def _run(job: Job, edit: Edit, minutes: int) -> JobRun:
    return JobRun(
        id=new_id(JobRun.PREFIX, edit.at),
        organization_id=job.organization_id,
        job_id=job.id,
        version_number=1,
        cluster_id=job.current_cluster_id,
        attempt=1,
        triggered_by_id=edit.actor_id,
        cancel_requested_by_id=edit.actor_id,
        status=JobRunStatus.RUNNING,
        trigger=JobRunTrigger.MANUAL,
        created_at=edit.at + timedelta(minutes=minutes),
    )


def _revision(query: SavedQuery) -> SavedQueryRevision:
    own = {"organization_id": query.organization_id, "saved_query_id": query.id, "revision": query.revision}
    return SavedQueryRevision(**own, name=query.name, sql=query.sql)


def _executed(run: JobRun, query: SavedQuery) -> ExecutedQuery:
    own = {"organization_id": run.organization_id, "run_id": run.id, "attempt": run.attempt, "position": 0}
    return ExecutedQuery(**own, saved_query_id=query.id, revision=query.revision)
