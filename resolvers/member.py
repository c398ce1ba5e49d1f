from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from mainsheet.models.member import Member
from mainsheet.models.roles import TeamRole
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Member.__table__.c


class WithRole(NamedTuple):
    role: TeamRole


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Member]:
    return await read.keyed(_by_ids, keys=ids)


async def of_teams(read: Read, team_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[Member]]:
    """List each team's members with their roles in it."""
    return await OF_TEAMS.pages(read, team_ids, page)


@rows_of(Member)
def _by_ids(view: View) -> Statement:
    own = Member.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Member.id, KEYS), own)


@rows_of(Member, WithRole)
def _in_teams(view: View) -> Statement:
    return select(*view.only(COLUMNS), TeamMember.role).join(TeamMember, TeamMember.member_id == Member.id)


OF_TEAMS = PagedList(_in_teams, TeamMember.team_id, Member.name, Member.id)
