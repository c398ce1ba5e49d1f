"""The jobs of the caller's teams: they are looked up, and each is checked.

A count looks up all of them if most jobs aren't the caller's, and so does a page if a scan of the start of the list
doesn't fill it. A page by creation looks them up in its order, until it is full.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import aliased

from mainsheet.models.base import UtcDateTime
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job import select_jobs
from mainsheet.resolvers.job_list import own_teams
from mainsheet.resolvers.job_list.bounded_counts import sees_few_jobs
from mainsheet.resolvers.permissions import is_any, through_teams
from mainsheet.resolvers.sql.pagination.paged_list import PagedList
from mainsheet.resolvers.sql.pagination.scan_then_index import NO_OFFSET
from mainsheet.resolvers.sql.pagination.slices import OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of


def looked_up(*conditions: str) -> Sequence[ColumnElement[bool]]:
    return [own_teams.is_own(Job.id), *job_filter.by_row(Job, *conditions)]


@rows_of(Job)
def _rows(view: View, *conditions: str) -> Statement:
    return select_jobs(view).where(Job.organization_id == view.caller.organization_id, *looked_up(*conditions))


OWN_JOBS = PagedList(_rows, Job.organization_id, Job.created_at, Job.id)


async def list_to_count(read: Read, conditions: Collection[str]) -> PagedList[Job] | None:
    """Choose to count these jobs, unless they may be most of all jobs, or a condition matches few jobs."""
    is_narrow = not job_filter.NARROW.isdisjoint(conditions)
    return OWN_JOBS if not is_narrow and await sees_few_jobs(read) else None


def page_ids(view: View, all_rows: SortedRows, *conditions: str) -> Select[str]:
    """Select the ids of a page by creation: sort the grants alone, then check each job, until the page is full."""
    by = (JobTeam.job_created_at, JobTeam.job_id)
    grants = through_teams(view.caller).add_columns(JobTeam.job_created_at)
    own = grants.where(*all_rows.after_cursor(*by), *_created_since(conditions))
    in_order = own.group_by(*by).order_by(*all_rows.order_of(*by)).offset(NO_OFFSET).subquery("in_order")
    job = aliased(Job)
    is_match = select(job.id).where(job.id == in_order.c.job_id, *job_filter.by_row(job, *conditions))
    ids = select(in_order.c.job_id).where(is_any(is_match.correlate(in_order)))
    return ids.order_by(*all_rows.order_of(in_order.c.job_created_at, in_order.c.job_id)).limit(SIZE).offset(OFFSET)


def _created_since(conditions: Collection[str]) -> Sequence[ColumnElement[bool]]:
    """Return the condition on the grants that the jobs' one implies, so that older jobs aren't read."""
    name = "created_since"
    return [JobTeam.job_created_at >= bindparam(name, type_=UtcDateTime())] if name in conditions else []
