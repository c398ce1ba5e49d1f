"""The page of a filtered list whose number of matches is unknown: scan the start, then use the filter's index.

If many jobs match, a scan in the order of the list soon fills a page. If few match, an index finds them faster. Generic
plans can't tell which is the case. So the statement scans the first `SCAN_LIMIT` jobs of the list, and only if these
don't fill the page, it reads all matches from the conditions' indexes and sorts them. Both are parts of one statement:
a database doesn't run the second part if the first was enough (decision 17).
"""

from sqlalchemy import ColumnElement, FromClause, Select, func, literal_column, select, true, union_all
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.permissions import Access, visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.slices import END, OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.statement import Expression, Statement, View

SCAN_LIMIT = 3000
# An offset, even of 0, makes a database run a subquery as it is written, instead of merging it into the outer query.
NO_OFFSET: ColumnElement[int] = literal_column("0")


def page_ids(view: View, all_jobs: SortedRows, *conditions: str) -> Select[str]:
    """Select the ids of the page. `all_jobs` has all jobs after the cursor, in the order of the list."""
    near = _scanned(view, all_jobs, *conditions).cte("near")
    is_enough = select(func.count()).select_from(near).scalar_subquery() >= END
    is_needed = select(literal_column("1").label("one")).where(~is_enough).subquery("is_needed")
    all_ = _looked_up(view, all_jobs, is_needed, *conditions).subquery("all_jobs")
    shown = union_all(select(near).where(is_enough), select(all_)).subquery("shown")
    ordered = select(shown.c.id).order_by(*all_jobs.order_of(shown.c.sort_key, shown.c.id))
    return ordered.limit(SIZE).offset(OFFSET)


def _scanned(view: View, all_jobs: SortedRows, *conditions: str) -> Statement:
    needed = ("id", "organization_id", all_jobs.by.key, *job_filter.columns(*conditions))
    columns = [Job.__table__.c[name] for name in dict.fromkeys(needed)]
    own = all_jobs.rows.with_only_columns(*columns).where(among(Job.organization_id, KEYS))
    first = own.order_by(*all_jobs.order).limit(literal_column(str(SCAN_LIMIT))).subquery("first_jobs")
    return _matches(view, all_jobs, first, first.c[all_jobs.by.key], *conditions)


def _looked_up(view: View, all_jobs: SortedRows, is_needed: FromClause, *conditions: str) -> Statement:
    """Find all matches, sort them, then check which ones the caller sees, until the page is full.

    `is_needed` is a table with one row or none. With a condition instead, SQLite would read the whole index first.
    """
    rows = all_jobs.rows.with_only_columns(Job.id, Job.organization_id, all_jobs.by.label("sort_key"))
    rows = rows.select_from(is_needed.join(Job.__table__, true())).where(*job_filter.by_index(*conditions))
    if job_filter.IMPLY_ORGANIZATION.isdisjoint(conditions):
        rows = rows.where(among(Job.organization_id, KEYS))
    found = rows.offset(NO_OFFSET).subquery("found")
    ordered = select(found).order_by(*all_jobs.order_of(found.c.sort_key, found.c.id))
    in_order = ordered.offset(NO_OFFSET).subquery("in_order")
    return _matches(view, all_jobs, in_order, in_order.c.sort_key)


def _matches(view: View, all_jobs: SortedRows, jobs: FromClause, by: Expression, *conditions: str) -> Statement:
    """Select the matches among `jobs`, which are in the order of the list, up to the end of the page."""
    job = aliased(Job, jobs)
    matches = (
        among(job.organization_id, KEYS),
        visible(view.caller, job, Access.FORCED_LOOKUP),
        *job_filter.by_row(job, *conditions),
    )
    rows = select(job.id, by.label("sort_key")).where(*matches)
    return rows.order_by(*all_jobs.order_of(by, job.id)).limit(END)
