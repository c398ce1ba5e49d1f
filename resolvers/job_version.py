from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion, VersionStatus
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import NUMBER, Expression, Statement, View, rows_of

IS_CURRENT = (JobVersion.number == Job.current_number).label("is_current")
COLUMNS: list[Expression] = [*JobVersion.__table__.c, IS_CURRENT]


class WithIsCurrent(NamedTuple):
    is_current: bool


class OfRun(NamedTuple):
    run_id: str


class OfChild(NamedTuple):
    child_id: str


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_by_ids, keys=ids)


async def current(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_current, keys=job_ids)


async def drafts(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_drafts, keys=job_ids)


async def numbered(read: Read, job_ids: Sequence[str], number: int) -> Mapping[str, JobVersion]:
    return await read.keyed(_numbered, keys=job_ids, number=number)


async def of_runs(read: Read, run_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_of_runs, keys=run_ids)


async def bases(read: Read, version_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    """Return the version that each version was based on."""
    return await read.keyed(_bases, keys=version_ids)


async def of_jobs(
    read: Read, job_ids: Sequence[str], arguments: tuple[PageArguments, bool]
) -> Mapping[str, Page[JobVersion]]:
    """List the published versions by number; `arguments` are the page and whether the order is descending."""
    page, descending = arguments
    return await OF_JOBS.pages(read, job_ids, page, descending=descending)


def select_versions(view: View, *more: Expression) -> Statement:
    """Select versions joined with their jobs. It doesn't check whether the caller sees the job."""
    return select(*view.only(COLUMNS, "job_id"), *more).join(Job, Job.id == JobVersion.job_id)


@rows_of(JobVersion, WithIsCurrent)
def _by_ids(view: View) -> Statement:
    return select_versions(view).where(among(JobVersion.id, KEYS), visible(view.caller))


@rows_of(JobVersion, WithIsCurrent, key="job_id")
def _current(view: View) -> Statement:
    return select_versions(view).where(among(Job.id, KEYS), JobVersion.number == Job.current_number)


@rows_of(JobVersion, WithIsCurrent, key="job_id")
def _drafts(view: View) -> Statement:
    is_draft = JobVersion.status == VersionStatus.DRAFT
    return select_versions(view).where(among(JobVersion.job_id, KEYS), is_draft, visible(view.caller))


@rows_of(JobVersion, WithIsCurrent, key="job_id")
def _numbered(view: View) -> Statement:
    return select_versions(view).where(among(JobVersion.job_id, KEYS), JobVersion.number == NUMBER)


@rows_of(JobVersion, WithIsCurrent, OfRun, key="run_id")
def _of_runs(view: View) -> Statement:
    is_its = (JobRun.job_id == JobVersion.job_id) & (JobRun.version_number == JobVersion.number)
    return select_versions(view, JobRun.id.label("run_id")).join(JobRun, is_its).where(among(JobRun.id, KEYS))


@rows_of(JobVersion, WithIsCurrent, OfChild, key="child_id")
def _bases(view: View) -> Statement:
    child = aliased(JobVersion)
    is_its = (child.job_id == JobVersion.job_id) & (child.based_on_number == JobVersion.number)
    return select_versions(view, child.id.label("child_id")).join(child, is_its).where(among(child.id, KEYS))


@rows_of(JobVersion, WithIsCurrent)
def _published(view: View) -> Statement:
    columns = view.only(COLUMNS)
    rows = select(*columns).where(JobVersion.status == VersionStatus.PUBLISHED)
    return rows.join(Job, Job.id == JobVersion.job_id) if IS_CURRENT in columns else rows


OF_JOBS = PagedList(_published, JobVersion.job_id, JobVersion.number, JobVersion.id, is_indexed=True)
