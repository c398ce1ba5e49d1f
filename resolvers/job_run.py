from collections.abc import Mapping, Sequence

from sqlalchemy import ScalarSelect, bindparam, select
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import KEYS, TextArray, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Expression, Statement, View, rows_of

COLUMNS = JobRun.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, JobRun]:
    return await read.keyed(_by_ids, keys=ids)


async def latest(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobRun]:
    return await read.keyed(_latest, keys=job_ids)


async def of_jobs(
    read: Read, job_ids: Sequence[str], arguments: tuple[PageArguments, tuple[JobRunStatus, ...] | None]
) -> Mapping[str, Page[JobRun]]:
    """List the runs by time; `arguments` are the page and the statuses to show, `None` for all."""
    page, statuses = arguments
    parameters = {} if statuses is None else {"statuses": statuses}
    return await OF_JOBS.pages(read, job_ids, page, parameters=parameters)


@rows_of(JobRun)
def _by_ids(view: View) -> Statement:
    rows = select(*view.only(COLUMNS)).join(Job, Job.id == JobRun.job_id)
    return rows.where(among(JobRun.id, KEYS), visible(view.caller))


def newest(job_id: Expression) -> ScalarSelect[str]:
    """Return a subquery for the id of a job's newest run, which the index gives."""
    run = aliased(JobRun)
    runs = select(run.id).where(run.job_id == job_id).order_by(run.created_at.desc(), run.id.desc())
    return runs.limit(1).scalar_subquery()


@rows_of(JobRun, key="job_id")
def _latest(view: View) -> Statement:
    columns = view.only(COLUMNS, "job_id")
    return select(*columns).join(Job, JobRun.id == newest(Job.id)).where(among(Job.id, KEYS))


@rows_of(JobRun)
def _with_status(view: View, *conditions: str) -> Statement:
    rows = select(*view.only(COLUMNS))
    return rows.where(among(JobRun.status, bindparam("statuses", type_=TextArray()))) if conditions else rows


OF_JOBS = PagedList(_with_status, JobRun.job_id, JobRun.created_at, JobRun.id, is_indexed=True)
