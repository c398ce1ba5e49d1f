from collections.abc import Mapping, Sequence

from sqlalchemy import exists, select

from mainsheet.models.job import Job
from mainsheet.models.job_event import JobEvent
from mainsheet.resolvers.permissions import sees_all_jobs, visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = JobEvent.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, JobEvent]:
    """Return the events of visible jobs; those of deleted jobs only to callers who see all jobs."""
    return await read.keyed(_by_ids, keys=ids)


async def of_jobs(read: Read, job_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[JobEvent]]:
    """List each job's events by time."""
    return await OF_JOBS.pages(read, job_ids, page)


@rows_of(JobEvent)
def _by_ids(view: View) -> Statement:
    own = JobEvent.organization_id == view.caller.organization_id
    rows = select(*view.only(COLUMNS)).where(among(JobEvent.id, KEYS), own)
    if sees_all_jobs(view.caller):
        return rows
    return rows.where(exists().where(Job.id == JobEvent.job_id, visible(view.caller)))


@rows_of(JobEvent)
def _all(view: View) -> Statement:
    return select(*view.only(COLUMNS))


OF_JOBS = PagedList(_all, JobEvent.job_id, JobEvent.sequence, JobEvent.id, is_indexed=True)
