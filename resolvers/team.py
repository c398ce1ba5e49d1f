from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from models.job_team import JobTeam
from models.team import Team, TeamMember
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.read import Read

COLUMNS = Team.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    return await read.keyed(
        select(*COLUMNS).where(among(Team.id, ids), Team.organization_id == read.caller.organization_id)
    )


async def of_organizations(read: Read, organization_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    """List all teams, each with the caller's role in it, if there is one."""
    own = (TeamMember.team_id == Team.id) & (TeamMember.member_id == read.caller.member_id)
    rows = select(*COLUMNS, TeamMember.role).outerjoin(TeamMember, own)
    return await Listing(rows, Team.organization_id, Team.name, Team.id).pages(read, organization_ids, paging)


async def of_members(read: Read, member_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    """List each member's teams with that member's role."""
    rows = select(*COLUMNS, TeamMember.role).join(TeamMember, TeamMember.team_id == Team.id)
    return await Listing(rows, TeamMember.member_id, Team.name, Team.id).pages(read, member_ids, paging)


async def of_jobs(read: Read, job_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    rows = select(*COLUMNS, JobTeam.granted_at, JobTeam.granted_by_id).join(JobTeam, JobTeam.team_id == Team.id)
    return await Listing(rows, JobTeam.job_id, Team.name, Team.id).pages(read, job_ids, paging)
