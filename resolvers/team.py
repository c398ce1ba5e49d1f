from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from mainsheet.models.job_team import JobTeam
from mainsheet.models.roles import TeamRole
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers import named_list
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Team.__table__.c


class WithRole(NamedTuple):
    role: TeamRole


class WithOwnRole(NamedTuple):
    role: TeamRole | None


class WithGrant(NamedTuple):
    granted_at: datetime
    granted_by_id: str


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Team]:
    return await read.keyed(_by_ids, keys=ids)


@batch(is_one_statement=True)
async def by_external_ids(read: Read, external_ids: Sequence[str]) -> Mapping[str, Team]:
    return await read.keyed(_by_external_ids, keys=external_ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: NamedListArguments
) -> Mapping[str, Page[Team]]:
    """List all teams, each with the caller's role in it, if there is one."""
    return await named_list.pages(read, organization_ids, arguments, OF_ORGANIZATIONS)


async def of_actors(read: Read, actor_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[Team]]:
    """List each actor's teams with that actor's role."""
    return await OF_ACTORS.pages(read, actor_ids, page)


async def of_jobs(read: Read, job_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[Team]]:
    """List the teams that each job is shared with, and since when."""
    return await OF_JOBS.pages(read, job_ids, page)


@rows_of(Team, key="external_id")
def _by_external_ids(view: View) -> Statement:
    own = Team.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS, "external_id")).where(among(Team.external_id, KEYS), own)


@rows_of(Team)
def _by_ids(view: View) -> Statement:
    own = Team.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Team.id, KEYS), own)


@rows_of(Team, WithOwnRole)
def _with_own_role(view: View) -> Statement:
    own = (TeamMember.team_id == Team.id) & (TeamMember.actor_id == view.caller.actor_id)
    role = select(TeamMember.role).where(own).correlate(Team).scalar_subquery().label("role")
    return select(*view.only(COLUMNS), role)


@rows_of(Team, WithRole)
def _with_role(view: View) -> Statement:
    return select(*view.only(COLUMNS), TeamMember.role).join(TeamMember, TeamMember.team_id == Team.id)


@rows_of(Team, WithGrant)
def _with_grant(view: View) -> Statement:
    columns = view.only([*COLUMNS, JobTeam.granted_at, JobTeam.granted_by_id])
    return select(*columns).join(JobTeam, JobTeam.team_id == Team.id)


OF_ORGANIZATIONS = named_list.by_name(_with_own_role, Team)
OF_ACTORS = PagedList(_with_role, TeamMember.actor_id, Team.name, Team.id)
OF_JOBS = PagedList(_with_grant, JobTeam.job_id, Team.name, Team.id)
