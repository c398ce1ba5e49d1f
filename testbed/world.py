"""Rows for tests: a factory for each model, and a world of such rows. Jobs are created by the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import Actor
from mainsheet.models.base import Base
from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.models.event import START
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.roles import AccessScope, OrganizationRole, TeamRole
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team, TeamMember
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import WebhookDelivery, WebhookDeliveryStatus
from mainsheet.resolvers.caller import Caller

Row = TypeVar("Row", bound=Base)
_numbers = count(1)


async def make_organization(session: AsyncSession, **values: Any) -> Organization:
    return await _kept(session, Organization, "OR", {"name": f"organization-{next(_numbers)}"} | values)


async def make_member(session: AsyncSession, organization: Organization, **values: Any) -> Member:
    name = values.get("name", f"member-{next(_numbers)}")
    own = {"organization_id": organization.id, "name": name, "email": f"{name}@{organization.name}.example"}
    return await _kept(session, Member, "MB", own | values)


async def make_service_account(session: AsyncSession, organization: Organization, **values: Any) -> ServiceAccount:
    own = {"organization_id": organization.id, "name": f"account-{next(_numbers)}"}
    return await _kept(session, ServiceAccount, "SA", own | values)


async def make_team(session: AsyncSession, organization: Organization, **values: Any) -> Team:
    own = {"organization_id": organization.id, "name": f"team-{next(_numbers)}", "description": None}
    return await _kept(session, Team, "TM", own | values)


async def make_membership(
    session: AsyncSession, team: Team, actor: Actor, role: TeamRole = TeamRole.VIEWER
) -> TeamMember:
    row = TeamMember(organization_id=team.organization_id, team_id=team.id, actor_id=actor.id, role=role)
    session.add(row)
    await session.flush()
    return row


async def make_cluster(session: AsyncSession, organization: Organization, **values: Any) -> Cluster:
    own = {
        "organization_id": organization.id,
        "name": f"cluster-{next(_numbers)}",
        "region": "eu-north-1",
        "status": ClusterStatus.ACTIVE,
    }
    return await _kept(session, Cluster, "CL", own | values)


async def make_saved_query(session: AsyncSession, organization: Organization, **values: Any) -> SavedQuery:
    own = {"organization_id": organization.id, "name": f"query-{next(_numbers)}", "sql": "SELECT 1"}
    return await _kept(session, SavedQuery, "SQ", own | values)


async def make_webhook(session: AsyncSession, organization: Organization, creator: Actor, **values: Any) -> Webhook:
    own = {
        "organization_id": organization.id,
        "url": "https://hooks.example/in",
        "is_enabled": True,
        "read_position": START,
        "read_id": "",
        "created_at": datetime.now(UTC),
        "created_by_id": creator.id,
    }
    return await _kept(session, Webhook, "WH", own | values)


async def make_webhook_delivery(session: AsyncSession, webhook: Webhook, **values: Any) -> WebhookDelivery:
    own = {
        "organization_id": webhook.organization_id,
        "webhook_id": webhook.id,
        "event_id": new_id("EV"),
        "position": START,
        "order_key": webhook.id,
        "status": WebhookDeliveryStatus.FAILED,
        "is_requested": False,
        "attempt": 1,
        "at": datetime.now(UTC),
    }
    return await _kept(session, WebhookDelivery, "WD", own | values)


async def make_run(database: Database, job_id: str, **values: Any) -> JobRun:
    """Add a run of the job's current version, now."""
    now = datetime.now(UTC)
    own = {"id": new_id("JR", now), "status": JobRunStatus.SUCCEEDED, "created_at": now}
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        job = (await session.scalars(select(Job).where(Job.id == job_id))).one()
        of_job = {
            "organization_id": job.organization_id,
            "job_id": job.id,
            "version_number": job.current_number,
            "cluster_id": job.current_cluster_id,
        }
        of_job |= {"trigger": JobRunTrigger.MANUAL}
        run = JobRun(**(own | of_job | values))
        session.add(run)
        if run.created_at >= job.latest_run_at:
            job.list_run(run)
        return run


async def _kept(session: AsyncSession, model: type[Row], prefix: str, values: dict[str, Any]) -> Row:
    row = model(**({"id": new_id(prefix)} | values))
    session.add(row)
    await session.flush()
    return row


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """Another organization, whose objects must stay hidden."""

    organization: Organization
    admin: Member
    team: Team
    cluster: Cluster
    query: SavedQuery


@dataclass(frozen=True, kw_only=True)
class World:
    """`team_admin`, `contributor` and `viewer` have that role in `data_eng`; `contributor` views `analytics`."""

    organization: Organization
    data_eng: Team
    analytics: Team
    platform: Team
    admin: Member
    auditor: Member
    team_admin: Member
    contributor: Member
    viewer: Member
    outsider: Member
    clusters: dict[ClusterStatus, Cluster]
    queries: list[SavedQuery]
    foreign: Foreign

    @property
    def cluster(self) -> Cluster:
        return self.clusters[ClusterStatus.ACTIVE]


def caller(actor: Actor) -> Caller:
    return Caller(actor.id, actor.organization_id, actor.organization_role)


async def token(database: Database, actor: Actor, scopes: Iterable[AccessScope] = AccessScope) -> str:
    """Return the secret of a token that was just used, so that callers don't see the statement that records its use."""
    now = datetime.now(UTC)
    row, secret = AccessToken.issue(actor.organization_id, actor.id, now, expires_at=None, name=None, scopes=scopes)
    row.last_used_at = now
    async with AsyncSession(database.writes) as session, session.begin():
        session.add(row)
    return secret


async def make_world(database: Database) -> World:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        organization = await make_organization(session, name="harbor")
        names = ("data-eng", "analytics", "platform")
        data_eng, analytics, platform = [await make_team(session, organization, name=name) for name in names]
        members = await _members(session, organization, data_eng, analytics)
        return World(
            organization=organization,
            data_eng=data_eng,
            analytics=analytics,
            platform=platform,
            admin=members["admin"],
            auditor=members["auditor"],
            team_admin=members["team_admin"],
            contributor=members["contributor"],
            viewer=members["viewer"],
            outsider=members["outsider"],
            clusters={
                status: await make_cluster(session, organization, name=status.lower(), status=status)
                for status in ClusterStatus
            },
            queries=[await make_saved_query(session, organization, sql=f"SELECT {number}") for number in range(1, 6)],
            foreign=await _foreign(session),
        )


async def _members(
    session: AsyncSession, organization: Organization, data_eng: Team, analytics: Team
) -> dict[str, Member]:
    names = ("admin", "auditor", "team_admin", "contributor", "viewer", "outsider")
    roles = {"admin": OrganizationRole.ADMIN, "auditor": OrganizationRole.AUDITOR}
    members = {
        name: await make_member(
            session, organization, name=name, organization_role=roles.get(name, OrganizationRole.MEMBER)
        )
        for name in names
    }
    await make_membership(session, data_eng, members["team_admin"], TeamRole.ADMIN)
    await make_membership(session, data_eng, members["contributor"], TeamRole.CONTRIBUTOR)
    await make_membership(session, data_eng, members["viewer"], TeamRole.VIEWER)
    await make_membership(session, analytics, members["contributor"], TeamRole.VIEWER)
    return members


async def _foreign(session: AsyncSession) -> Foreign:
    organization = await make_organization(session, name="lagoon")
    return Foreign(
        organization=organization,
        admin=await make_member(session, organization, organization_role=OrganizationRole.ADMIN),
        team=await make_team(session, organization),
        cluster=await make_cluster(session, organization),
        query=await make_saved_query(session, organization),
    )
