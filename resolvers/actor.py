"""Members and service accounts, of one kind or of both."""

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple

from sqlalchemy import select

from mainsheet.models.actor import Actor, ActorKind
from mainsheet.models.member import Member
from mainsheet.models.roles import TeamRole
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import TeamMember
from mainsheet.resolvers import named_list
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Expression, Query, Row, Statement, View, rows_of

COLUMNS = Actor.__table__.c


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Actor]:
    return await read.keyed(_by_ids, keys=ids)


@rows_of(Actor)
def _by_ids(view: View) -> Statement:
    return select(*view.only(COLUMNS)).where(among(COLUMNS.id, KEYS), _is_own(view))


def _is_own(view: View) -> Expression:
    return COLUMNS.organization_id == view.caller.organization_id


class WithRole(NamedTuple):
    role: TeamRole


class ActorsOfKind(Generic[Row]):
    """Members, or service accounts."""

    def __init__(self, row: type[Row], kind: ActorKind) -> None:
        self._kind = kind
        self._by_ids = Query(self._with_ids, row)
        self._by_external_ids = Query(self._with_external_ids, row, key="external_id")
        self._of_organizations = named_list.by_name(Query(self._all, row), Actor)
        in_teams = Query(self._in_teams, row, more=(WithRole,))
        self._of_teams = PagedList(in_teams, TeamMember.team_id, Actor.name, Actor.id)

    @batch(is_one_statement=True)
    async def by_ids(self, read: Read, ids: Sequence[str]) -> Mapping[str, Row]:
        return await read.keyed(self._by_ids, keys=ids)

    @batch(is_one_statement=True)
    async def by_external_ids(self, read: Read, external_ids: Sequence[str]) -> Mapping[str, Row]:
        return await read.keyed(self._by_external_ids, keys=external_ids)

    async def of_organizations(
        self, read: Read, organization_ids: Sequence[str], arguments: NamedListArguments
    ) -> Mapping[str, Page[Row]]:
        return await named_list.pages(read, organization_ids, arguments, self._of_organizations)

    async def of_teams(self, read: Read, team_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[Row]]:
        """List those of each team, with their roles in it."""
        return await self._of_teams.pages(read, team_ids, page)

    def _all(self, view: View, *needed: str) -> Statement:
        return select(*view.only(COLUMNS, *needed)).where(COLUMNS.kind == self._kind)

    def _with_ids(self, view: View) -> Statement:
        return self._all(view).where(among(COLUMNS.id, KEYS), _is_own(view))

    def _with_external_ids(self, view: View) -> Statement:
        return self._all(view, "external_id").where(among(COLUMNS.external_id, KEYS), _is_own(view))

    def _in_teams(self, view: View) -> Statement:
        return self._all(view).add_columns(TeamMember.role).join(TeamMember, TeamMember.actor_id == COLUMNS.id)


MEMBERS = ActorsOfKind(Member, ActorKind.MEMBER)
SERVICE_ACCOUNTS = ActorsOfKind(ServiceAccount, ActorKind.SERVICE_ACCOUNT)
