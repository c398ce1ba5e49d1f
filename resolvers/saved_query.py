from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion, JobVersionQuery
from mainsheet.models.saved_query import SavedQuery
from mainsheet.resolvers import named_list
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.permissions import is_any
from mainsheet.resolvers.sql.array_param import KEYS, among, among_these
from mainsheet.resolvers.sql.pagination.paged_list import Page
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = SavedQuery.__table__.c


class OfVersion(NamedTuple):
    version_id: str


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, SavedQuery]:
    return await read.keyed(_by_ids, keys=ids)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: NamedListArguments
) -> Mapping[str, Page[SavedQuery]]:
    return await named_list.pages(read, organization_ids, arguments, OF_ORGANIZATIONS)


async def of_versions(read: Read, version_ids: Sequence[str]) -> Mapping[str, list[SavedQuery]]:
    """List each version's saved queries in their order."""
    return await read.grouped(_of_versions, version_ids)


def runs_query(query_id: str, *, is_current: bool = True) -> ColumnElement[bool]:
    """Whether the current version of a job, or any version, runs the saved query with this id.

    Each step looks rows up by ids. With joins, the databases would read all jobs.
    """
    version, other = aliased(JobVersion), aliased(Job)
    uses = select(JobVersionQuery.version_id).where(JobVersionQuery.query_id == query_id)
    running = select(version.job_id).where(among_these(version.id, uses))
    if is_current:
        current = select(other.id).where(other.id == version.job_id, other.current_number == version.number)
        running = running.where(is_any(current.correlate(version)))
    return among_these(Job.id, running)


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


OF_ORGANIZATIONS = named_list.by_name(_all, SavedQuery)
