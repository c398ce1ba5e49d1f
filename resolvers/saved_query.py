from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from models.job_version import JobVersionQuery
from models.saved_query import SavedQuery
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.read import Read

COLUMNS = SavedQuery.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    return await read.keyed(
        select(*COLUMNS).where(among(SavedQuery.id, ids), SavedQuery.organization_id == read.caller.organization_id)
    )


async def of_organizations(read: Read, organization_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    listing = Listing(select(*COLUMNS), SavedQuery.organization_id, SavedQuery.name, SavedQuery.id)
    return await listing.pages(read, organization_ids, paging)


async def of_versions(read: Read, version_ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    """List each version's saved queries in their order."""
    rows = (
        select(*COLUMNS, JobVersionQuery.version_id)
        .join(JobVersionQuery, JobVersionQuery.query_id == SavedQuery.id)
        .where(among(JobVersionQuery.version_id, version_ids))
        .order_by(JobVersionQuery.version_id, JobVersionQuery.position)
    )
    return await read.grouped(rows, "version_id", version_ids)
