from collections.abc import Mapping, Sequence

from sqlalchemy import select

from mainsheet.models.cluster import Cluster
from mainsheet.resolvers import named_list
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.paged_list import Page
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Cluster.__table__.c


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Cluster]:
    return await read.keyed(_by_ids, keys=ids)


@batch(is_one_statement=True)
async def by_external_ids(read: Read, external_ids: Sequence[str]) -> Mapping[str, Cluster]:
    return await read.keyed(_by_external_ids, keys=external_ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: NamedListArguments
) -> Mapping[str, Page[Cluster]]:
    return await named_list.pages(read, organization_ids, arguments, OF_ORGANIZATIONS)


@rows_of(Cluster, key="external_id")
def _by_external_ids(view: View) -> Statement:
    own = Cluster.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS, "external_id")).where(among(Cluster.external_id, KEYS), own)


@rows_of(Cluster)
def _by_ids(view: View) -> Statement:
    own = Cluster.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Cluster.id, KEYS), own)


@rows_of(Cluster)
def _all(view: View) -> Statement:
    return select(*view.only(COLUMNS))


OF_ORGANIZATIONS = named_list.by_name(_all, Cluster)
