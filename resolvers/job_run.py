from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from models.job import Job
from models.job_run import JobRun, JobRunStatus
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.permissions import visible
from resolvers.read import Read

COLUMNS = JobRun.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = select(*COLUMNS).join(Job, Job.id == JobRun.job_id)
    return await read.keyed(rows.where(among(JobRun.id, ids), visible(read.caller)))


async def latest(read: Read, job_ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    newest_first = (JobRun.created_at.desc(), JobRun.id.desc())
    position = func.row_number().over(partition_by=JobRun.job_id, order_by=newest_first)
    numbered = select(*COLUMNS, position.label("position")).where(among(JobRun.job_id, job_ids)).subquery()
    return await read.keyed(select(numbered).where(numbered.c.position == 1), "job_id")


async def of_jobs(
    read: Read, job_ids: Sequence[str], wanted: tuple[Paging, tuple[JobRunStatus, ...] | None]
) -> Mapping[str, Page]:
    """List the runs, newest first; `wanted` is the page and the statuses to show, `None` for all."""
    paging, statuses = wanted
    rows = select(*COLUMNS)
    if statuses is not None:
        rows = rows.where(JobRun.status.in_(statuses))
    listing = Listing(rows, JobRun.job_id, JobRun.created_at, JobRun.id, descending=True)
    return await listing.pages(read, job_ids, paging)
