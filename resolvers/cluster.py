from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from models.cluster import Cluster
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.read import Read

COLUMNS = Cluster.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    return await read.keyed(
        select(*COLUMNS).where(among(Cluster.id, ids), Cluster.organization_id == read.caller.organization_id)
    )


async def of_organizations(read: Read, organization_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    listing = Listing(select(*COLUMNS), Cluster.organization_id, Cluster.name, Cluster.id)
    return await listing.pages(read, organization_ids, paging)
