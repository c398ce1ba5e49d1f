"""The jobs whose current version runs a saved query. All access paths give the same rows.

A query that few versions run, and each of many queries, is looked up: all its versions, then their jobs. Of one that
many versions run, the jobs of the caller or the first ones of the list are checked, until the page is full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import CTE, select
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion, JobVersionQuery
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job import JOINS, select_jobs
from mainsheet.resolvers.job_list import own_jobs
from mainsheet.resolvers.job_list.access_paths import (
    MATCHES,
    JobListArguments,
    JobSortField,
    by_sort_field,
    pages_of,
)
from mainsheet.resolvers.job_list.bounded_counts import (
    GRANT_COUNTS,
    LARGE_SET,
    MANY_USES,
    USE_COUNTS,
    sees_few_jobs,
)
from mainsheet.resolvers.permissions import Access, is_any, sees_all_jobs, visible
from mainsheet.resolvers.sql.array_param import KEYS, among, among_these
from mainsheet.resolvers.sql.pagination.paged_list import Page
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of


@batch(*JOINS)
async def of_saved_queries(
    read: Read, query_ids: Sequence[str], arguments: JobListArguments
) -> Mapping[str, Page[Job]]:
    """List the jobs whose current version runs each saved query, as far as the caller sees them."""
    if len(query_ids) > 1 or await USE_COUNTS.of(read, query_ids[0]) < MANY_USES:
        return await pages_of(read, query_ids, arguments, OF_SAVED_QUERIES)
    path = AMONG_GRANTED if await _has_few_grants(read) else SCAN_THEN_LOOK_UP
    its = replace(arguments, filter=replace(arguments.filter, saved_query_ids=tuple(query_ids)))
    pages = await pages_of(read, [read.caller.organization_id], its, path)
    return dict(zip(query_ids, pages.values(), strict=True))


async def _has_few_grants(read: Read) -> bool:
    """Return whether the caller's jobs may be checked one by one."""
    if sees_all_jobs(read.caller):
        return False
    return await GRANT_COUNTS.of(read, read.caller.actor_id) < LARGE_SET or await sees_few_jobs(read)


@rows_of(Job)
def _of_saved_queries(view: View, *conditions: str) -> Statement:
    """Check each job that runs one of the saved queries, whatever the conditions: their indexes may have all jobs."""
    is_shown = (visible(view.caller, access=Access.FORCED_LOOKUP), *job_filter.by_row(Job, *conditions))
    jobs = select_jobs(view).where(*is_shown, among_these(Job.id, select(RUNNING.c.job_id)))
    return jobs.join(RUNNING, RUNNING.c.job_id == Job.id)


def _running() -> CTE:
    """Select each saved query with the jobs whose current versions run it: one row for each pair."""
    version, job = aliased(JobVersion), aliased(Job)
    is_current = select(job.id).where(job.id == version.job_id, job.current_number == version.number)
    uses = select(JobVersionQuery.query_id, version.job_id).join(version, version.id == JobVersionQuery.version_id)
    its = (among(JobVersionQuery.query_id, KEYS), is_any(is_current.correlate(version)))
    return uses.where(*its).distinct().cte("running")


RUNNING = _running()
Use = aliased(JobVersionQuery, RUNNING)


@rows_of(Job)
def _granted(view: View, *conditions: str) -> Statement:
    """Check each of the caller's jobs."""
    is_shown = (visible(view.caller, access=Access.SET), *job_filter.by_row(Job, *conditions))
    return select_jobs(view).where(*is_shown)


@rows_of(Job)
def _found(view: View, *conditions: str) -> Statement:
    """Look up the jobs by the condition on their query, and check each."""
    others = [each for each in conditions if each != "saved_query_ids"]
    is_shown = (visible(view.caller, access=Access.FORCED_LOOKUP), *job_filter.by_row(Job, *others))
    return select_jobs(view).where(*job_filter.by_index("saved_query_ids"), *is_shown)


OF_SAVED_QUERIES = by_sort_field(_of_saved_queries, Use.query_id)
_AMONG_GRANTED = by_sort_field(_granted, Job.organization_id)
_BY_CREATION = _AMONG_GRANTED[JobSortField.CREATED_AT]
AMONG_GRANTED = {
    **_AMONG_GRANTED,
    JobSortField.CREATED_AT: replace(_BY_CREATION, page_ids=own_jobs.page_ids, rows_by_id=select_jobs),
}
SCAN_THEN_LOOK_UP = by_sort_field(
    _found, Job.organization_id, page_ids=replace(MATCHES, scans=5).page_ids, rows_by_id=select_jobs
)
