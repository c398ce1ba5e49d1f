from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, exists, select

from models.job import Job
from models.job_event import JobEvent
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.permissions import sees_all_jobs, visible
from resolvers.read import Read

COLUMNS = JobEvent.__table__.c


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    """Return the events of visible jobs; those of a deleted job are for who sees all jobs."""
    rows = select(*COLUMNS).where(among(JobEvent.id, ids), JobEvent.organization_id == read.caller.organization_id)
    if not sees_all_jobs(read.caller):
        rows = rows.where(exists().where(Job.id == JobEvent.job_id, visible(read.caller)))
    return await read.keyed(rows)


async def of_jobs(read: Read, job_ids: Sequence[str], paging: Paging) -> Mapping[str, Page]:
    listing = Listing(select(*COLUMNS), JobEvent.job_id, JobEvent.sequence, JobEvent.id, descending=True)
    return await listing.pages(read, job_ids, paging)
