from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import aliased

from models.job import Job
from models.job_run import JobRun
from models.job_version import JobVersion, JobVersionDependency, VersionStatus
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.permissions import visible
from resolvers.read import Read

COLUMNS = [*JobVersion.__table__.c, (JobVersion.number == Job.current_number).label("is_current")]


def versions(*more: Any) -> Select[Any]:
    """Select versions; whose job the caller sees is for the caller of this to say."""
    return select(*COLUMNS, *more).join(Job, Job.id == JobVersion.job_id)


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    return await read.keyed(versions().where(among(JobVersion.id, ids), visible(read.caller)))


async def current(read: Read, job_ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = versions().where(among(Job.id, job_ids), JobVersion.number == Job.current_number)
    return await read.keyed(rows, "job_id")


async def drafts(read: Read, job_ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = versions().where(
        among(JobVersion.job_id, job_ids), JobVersion.status == VersionStatus.DRAFT, visible(read.caller)
    )
    return await read.keyed(rows, "job_id")


async def numbered(read: Read, job_ids: Sequence[str], number: int) -> Mapping[str, Row[Any]]:
    rows = versions().where(among(JobVersion.job_id, job_ids), JobVersion.number == number)
    return await read.keyed(rows, "job_id")


async def of_runs(read: Read, run_ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = versions(JobRun.id.label("run_id")).join(
        JobRun, (JobRun.job_id == JobVersion.job_id) & (JobRun.version_number == JobVersion.number)
    )
    return await read.keyed(rows.where(among(JobRun.id, run_ids)), "run_id")


async def bases(read: Read, version_ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    """Return, for each version, the one that it was based on."""
    child = aliased(JobVersion)
    rows = versions(child.id.label("child_id")).join(
        child, (child.job_id == JobVersion.job_id) & (child.based_on_number == JobVersion.number)
    )
    return await read.keyed(rows.where(among(child.id, version_ids)), "child_id")


async def of_jobs(read: Read, job_ids: Sequence[str], wanted: tuple[Paging, bool]) -> Mapping[str, Page]:
    """List the published versions by number; `wanted` is the page and whether numbers go down."""
    paging, descending = wanted
    rows = versions().where(JobVersion.status == VersionStatus.PUBLISHED)
    listing = Listing(rows, JobVersion.job_id, JobVersion.number, JobVersion.id, descending)
    return await listing.pages(read, job_ids, paging)


async def dependencies(read: Read, version_ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    rows = (
        select(
            JobVersionDependency.version_id,
            JobVersionDependency.depends_on_id,
            JobVersionDependency.condition,
        )
        .where(among(JobVersionDependency.version_id, version_ids))
        .order_by(JobVersionDependency.version_id, JobVersionDependency.position)
    )
    return await read.grouped(rows, "version_id", version_ids)
