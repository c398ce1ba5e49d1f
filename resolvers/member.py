from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mainsheet.models.actor import Actor, ActorKind
from mainsheet.models.member import Member
from mainsheet.models.roles import TeamRole
from mainsheet.models.team import TeamMember
from mainsheet.resolvers import named_list
from mainsheet.resolvers.actor import COLUMNS, select_actors
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of


class WithRole(NamedTuple):
    role: TeamRole


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Member]:
    return await read.keyed(_by_ids, keys=ids)


@batch(is_one_statement=True)
async def by_external_ids(read: Read, external_ids: Sequence[str]) -> Mapping[str, Member]:
    return await read.keyed(_by_external_ids, keys=external_ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: NamedListArguments
) -> Mapping[str, Page[Member]]:
    return await named_list.pages(read, organization_ids, arguments, OF_ORGANIZATIONS)


async def of_teams(read: Read, team_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[Member]]:
    """List each team's members with their roles in it."""
    return await OF_TEAMS.pages(read, team_ids, page)


@rows_of(Member)
def _all(view: View) -> Statement:
    return select_actors(view, ActorKind.MEMBER)


@rows_of(Member, key="external_id")
def _by_external_ids(view: View) -> Statement:
    own = COLUMNS.organization_id == view.caller.organization_id
    return select_actors(view, ActorKind.MEMBER, "external_id").where(among(COLUMNS.external_id, KEYS), own)


@rows_of(Member)
def _by_ids(view: View) -> Statement:
    return _all(view).where(among(COLUMNS.id, KEYS), COLUMNS.organization_id == view.caller.organization_id)


@rows_of(Member, WithRole)
def _in_teams(view: View) -> Statement:
    return _all(view).add_columns(TeamMember.role).join(TeamMember, TeamMember.actor_id == COLUMNS.id)


OF_ORGANIZATIONS = named_list.by_name(_all, Actor)
OF_TEAMS = PagedList(_in_teams, TeamMember.team_id, Actor.name, Actor.id)
