from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, select

from mainsheet.models.access_token import AccessToken
from mainsheet.models.roles import OrganizationPermission
from mainsheet.resolvers.permissions import may
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = [column for column in AccessToken.__table__.c if column.name != "digest"]


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, AccessToken]:
    return await read.keyed(_by_ids, keys=ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], page: PageArguments
) -> Mapping[str, Page[AccessToken]]:
    """List all tokens for administrators, and the caller's own for others."""
    return await OF_ORGANIZATIONS.pages(read, organization_ids, page)


async def of_actors(read: Read, actor_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[AccessToken]]:
    return await OF_ACTORS.pages(read, actor_ids, page)


def _visible(view: View) -> ColumnElement[bool]:
    own: ColumnElement[bool] = AccessToken.organization_id == view.caller.organization_id
    is_all = may(view.caller, OrganizationPermission.MANAGE_TOKENS)
    return own if is_all else own & (AccessToken.actor_id == view.own_id)


@rows_of(AccessToken)
def _all(view: View) -> Statement:
    return select(*view.only(COLUMNS)).where(_visible(view))


@rows_of(AccessToken)
def _by_ids(view: View) -> Statement:
    return _all(view).where(among(AccessToken.id, KEYS))


OF_ORGANIZATIONS = PagedList(_all, AccessToken.organization_id, AccessToken.id, AccessToken.id)
OF_ACTORS = PagedList(_all, AccessToken.actor_id, AccessToken.id, AccessToken.id)
