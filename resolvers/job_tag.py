from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from mainsheet.models.job_tag import JobTag
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of


class TagOfJob(NamedTuple):
    job_id: str
    tag: str


async def of_jobs(read: Read, job_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return each job's tags in alphabetical order."""
    rows = await read.grouped(_of_jobs, job_ids)
    return {job_id: [row.tag for row in own] for job_id, own in rows.items()}


@rows_of(TagOfJob, key="job_id")
def _of_jobs(_view: View) -> Statement:
    return select(JobTag.job_id, JobTag.tag).where(among(JobTag.job_id, KEYS)).order_by(JobTag.job_id, JobTag.tag)
