from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from models.member import Member
from models.team import TeamMember
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.read import Read

COLUMNS = Member.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    return await read.keyed(
        select(*COLUMNS).where(among(Member.id, ids), Member.organization_id == read.caller.organization_id)
    )


async def of_teams(read: Read, team_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    rows = select(*COLUMNS, TeamMember.role).join(TeamMember, TeamMember.member_id == Member.id)
    return await Listing(rows, TeamMember.team_id, Member.name, Member.id).pages(read, team_ids, paging)
