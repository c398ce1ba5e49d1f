from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from mainsheet.models.job_version import JobVersionQuery
from mainsheet.models.saved_query import SavedQuery
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = SavedQuery.__table__.c


class OfVersion(NamedTuple):
    version_id: str


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, SavedQuery]:
    return await read.keyed(_by_ids, keys=ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], page: PageArguments
) -> Mapping[str, Page[SavedQuery]]:
    return await OF_ORGANIZATIONS.pages(read, organization_ids, page)


async def of_versions(read: Read, version_ids: Sequence[str]) -> Mapping[str, list[SavedQuery]]:
    """List each version's saved queries in their order."""
    return await read.grouped(_of_versions, version_ids)


@rows_of(SavedQuery)
def _by_ids(view: View) -> Statement:
    own = SavedQuery.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(SavedQuery.id, KEYS), own)


@rows_of(SavedQuery, OfVersion, key="version_id")
def _of_versions(view: View) -> Statement:
    return (
        select(*view.only(COLUMNS), JobVersionQuery.version_id)
        .join(JobVersionQuery, JobVersionQuery.query_id == SavedQuery.id)
        .where(among(JobVersionQuery.version_id, KEYS))
        .order_by(JobVersionQuery.version_id, JobVersionQuery.position)
    )


@rows_of(SavedQuery)
def _all(view: View) -> Statement:
    return select(*view.only(COLUMNS))


OF_ORGANIZATIONS = PagedList(_all, SavedQuery.organization_id, SavedQuery.name, SavedQuery.id)
