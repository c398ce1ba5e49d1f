"""The jobs whose current version runs a saved query. All access paths give the same rows.

A query that few versions run, and each of many queries, is looked up: all its versions, then their jobs. Of one that
many versions run, the jobs of the caller or the first ones of the list are checked, until the page is full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import CTE, Select, select
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionQuery
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job import JOINS, select_jobs
from mainsheet.resolvers.job_list.access_paths import (
    MATCHES,
    JobListArguments,
    JobSortField,
    by_sort_field,
    pages_of,
)
from mainsheet.resolvers.job_list.bounded_counts import GRANT_COUNTS, LARGE_SET, MANY_USES, USE_COUNTS
from mainsheet.resolvers.permissions import Access, is_any, sees_all_jobs, through_teams, visible
from mainsheet.resolvers.sql.array_param import KEYS, among, among_these
from mainsheet.resolvers.sql.pagination.paged_list import Page
from mainsheet.resolvers.sql.pagination.scan_then_index import NO_OFFSET
from mainsheet.resolvers.sql.pagination.slices import OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of


@batch(*JOINS)
async def of_saved_queries(
    read: Read, query_ids: Sequence[str], arguments: JobListArguments
) -> Mapping[str, Page[Job]]:
    """List the jobs whose current version runs each saved query, as far as the caller sees them."""
    if len(query_ids) > 1 or await USE_COUNTS.of(read, query_ids[0]) < MANY_USES:
        return await pages_of(read, query_ids, arguments, OF_SAVED_QUERIES)
    is_small = not sees_all_jobs(read.caller) and await GRANT_COUNTS.of(read, read.caller.actor_id) < LARGE_SET
    path = AMONG_GRANTED if is_small else SCAN_THEN_LOOK_UP
    its = replace(arguments, filter=replace(arguments.filter, saved_query_ids=tuple(query_ids)))
    pages = await pages_of(read, [read.caller.organization_id], its, path)
    return dict(zip(query_ids, pages.values(), strict=True))


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


def _first_of_granted(view: View, all_rows: SortedRows, *conditions: str) -> Select[str]:
    """Sort the caller's jobs by their grants alone, then check each in this order, until the page is full."""
    by = (JobTeam.job_created_at, JobTeam.job_id)
    own = through_teams(view.caller).add_columns(JobTeam.job_created_at).where(*all_rows.after_cursor(*by))
    in_order = own.group_by(*by).order_by(*all_rows.order_of(*by)).offset(NO_OFFSET).subquery("in_order")
    job = aliased(Job)
    is_its = select(job.id).where(job.id == in_order.c.job_id, *job_filter.by_row(job, *conditions))
    ids = select(in_order.c.job_id).where(is_any(is_its.correlate(in_order)))
    return ids.order_by(*all_rows.order_of(in_order.c.job_created_at, in_order.c.job_id)).limit(SIZE).offset(OFFSET)


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
    JobSortField.CREATED_AT: replace(_BY_CREATION, page_ids=_first_of_granted, rows_by_id=select_jobs),
}
SCAN_THEN_LOOK_UP = by_sort_field(
    _found, Job.organization_id, page_ids=replace(MATCHES, scans=5).page_ids, rows_by_id=select_jobs
)
