"""The jobs of the caller's teams: all of them are looked up, and each is checked.

A page needs this if a scan of the start of the list doesn't fill it. A count needs it if most jobs aren't the caller's.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement

from mainsheet.models.job import Job
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job import select_jobs
from mainsheet.resolvers.job_list import own_teams
from mainsheet.resolvers.job_list.bounded_counts import GRANT_COUNTS, JOB_COUNTS, JOBS_FOR_GRANT
from mainsheet.resolvers.permissions import sees_all_jobs
from mainsheet.resolvers.sql.pagination.paged_list import PagedList
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
    if sees_all_jobs(read.caller) or not job_filter.NARROW.isdisjoint(conditions):
        return None
    grants = await GRANT_COUNTS.of(read, read.caller.actor_id)
    jobs = await JOB_COUNTS.of(read, read.caller.organization_id)
    return OWN_JOBS if grants * JOBS_FOR_GRANT < jobs else None
