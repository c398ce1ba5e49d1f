"""The page of jobs that are sought: seen at a glance, or looked up.

What many jobs are fills a page soon when they are met in their order; what few are has an index to find them by, and
how many they are nobody knows beforehand. So the first `GLANCE` of the list are looked at. Only where these don't fill
the page, all that the conditions' indexes know of is taken and sorted. It is one statement: a database leaves its
second half alone where the first was enough.
"""

from sqlalchemy import ColumnElement, FromClause, Select, func, literal_column, select, true, union_all
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.permissions import Access, visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.slices import END, OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.statement import Expression, Statement, View

GLANCE = 3000
# An inner query that skips nothing, and says so, is run as it stands: a database doesn't make it part of the outer one.
NONE_SKIPPED: ColumnElement[int] = literal_column("0")


def ids(view: View, whole: SortedRows, *conditions: str) -> Select[str]:
    """Select the ids of the page; `whole` has all jobs, in its order and behind the cursor."""
    near = _seen_at_a_glance(view, whole, *conditions).cte("near")
    is_enough = select(func.count()).select_from(near).scalar_subquery() >= END
    is_needed = select(literal_column("1").label("one")).where(~is_enough).subquery("is_needed")
    all_ = _looked_up(view, whole, is_needed, *conditions).subquery("all_jobs")
    shown = union_all(select(near).where(is_enough), select(all_)).subquery("shown")
    return select(shown.c.id).order_by(*whole.sorted(shown.c.sort_key, shown.c.id)).limit(SIZE).offset(OFFSET)


def _seen_at_a_glance(view: View, whole: SortedRows, *conditions: str) -> Statement:
    needed = ("id", "organization_id", whole.by.key, *job_filter.columns(*conditions))
    columns = [Job.__table__.c[name] for name in dict.fromkeys(needed)]
    own = whole.rows.with_only_columns(*columns).where(among(Job.organization_id, KEYS))
    first = own.order_by(*whole.order).limit(literal_column(str(GLANCE))).subquery("first_jobs")
    return _page(view, whole, first, first.c[whole.by.key], *conditions)


def _looked_up(view: View, whole: SortedRows, is_needed: FromClause, *conditions: str) -> Statement:
    """Find them, then sort them, then see which the caller sees: only until the page is full.

    `is_needed` is a row or none. As a mere condition it would stop SQLite only after it has been through the index.
    """
    rows = whole.rows.with_only_columns(Job.id, Job.organization_id, whole.by.label("sort_key"))
    rows = rows.select_from(is_needed.join(Job.__table__, true())).where(*job_filter.by_index(*conditions))
    if job_filter.OF_ANYBODY.isdisjoint(conditions):
        rows = rows.where(among(Job.organization_id, KEYS))
    found = rows.offset(NONE_SKIPPED).subquery("found")
    in_order = (
        select(found).order_by(*whole.sorted(found.c.sort_key, found.c.id)).offset(NONE_SKIPPED).subquery("in_order")
    )
    return _page(view, whole, in_order, in_order.c.sort_key)


def _page(view: View, whole: SortedRows, jobs: FromClause, by: Expression, *conditions: str) -> Statement:
    """Cut it from rows of jobs that are in their order, meeting one after the other."""
    job = aliased(Job, jobs)
    meets = (
        among(job.organization_id, KEYS),
        visible(view.caller, job, Access.FORCED_LOOKUP),
        *job_filter.by_row(job, *conditions),
    )
    return select(job.id, by.label("sort_key")).where(*meets).order_by(*whole.sorted(by, job.id)).limit(END)
