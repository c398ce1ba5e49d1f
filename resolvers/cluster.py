from collections.abc import Mapping, Sequence

from sqlalchemy import select

from mainsheet.models.cluster import Cluster
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Cluster.__table__.c


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Cluster]:
    return await read.keyed(_by_ids, keys=ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], page: PageArguments
) -> Mapping[str, Page[Cluster]]:
    return await OF_ORGANIZATIONS.pages(read, organization_ids, page)


@rows_of(Cluster)
def _by_ids(view: View) -> Statement:
    own = Cluster.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Cluster.id, KEYS), own)


@rows_of(Cluster)
def _all(view: View) -> Statement:
    return select(*view.only(COLUMNS))


OF_ORGANIZATIONS = PagedList(_all, Cluster.organization_id, Cluster.name, Cluster.id)
