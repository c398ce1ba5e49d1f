from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import aliased

from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion, JobVersionQuery, JobVersionStatus
from mainsheet.resolvers.permissions import Access, is_any, visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import NUMBER, Expression, Statement, View, rows_of


def columns_of(version: type[JobVersion]) -> list[Expression]:
    """Return the columns of a version. A draft that was never updated was last changed when it was created."""
    updated_at = func.coalesce(version.edited_at, version.created_at).label("updated_at")
    updated_by_id = func.coalesce(version.edited_by_id, version.created_by_id).label("updated_by_id")
    return [*inspect(version).selectable.c, updated_at, updated_by_id]


COLUMNS = columns_of(JobVersion)
Earlier = aliased(JobVersionQuery)


class OfRun(NamedTuple):
    run_id: str


class OfChild(NamedTuple):
    child_id: str


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_by_ids, keys=ids)


async def current(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_current, keys=job_ids)


async def drafts(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.about(job_ids).keyed(_drafts, keys=job_ids)


async def numbered(read: Read, job_ids: Sequence[str], number: int) -> Mapping[str, JobVersion]:
    return await read.keyed(_numbered, keys=job_ids, number=number)


async def of_runs(read: Read, run_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.keyed(_of_runs, keys=run_ids)


async def bases(read: Read, version_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    """Return the version that each version was based on."""
    return await read.keyed(_bases, keys=version_ids)


async def of_jobs(read: Read, job_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[JobVersion]]:
    """List the published versions by number."""
    return await OF_JOBS.pages(read, job_ids, page)


async def of_saved_queries(read: Read, query_ids: Sequence[str], page: PageArguments) -> Mapping[str, Page[JobVersion]]:
    """List the versions that run each saved query by time, as far as the caller sees their jobs."""
    return await OF_SAVED_QUERIES.pages(read, query_ids, page)


def _versions(view: View, *more: Expression) -> Statement:
    """Select versions. It doesn't check whether the caller sees their jobs."""
    return select(*view.only(COLUMNS, "job_id"), *more)


def with_jobs(view: View, *more: Expression) -> Statement:
    return _versions(view, *more).join(Job, Job.id == JobVersion.job_id)


@rows_of(JobVersion)
def _by_ids(view: View) -> Statement:
    return with_jobs(view).where(among(JobVersion.id, KEYS), visible(view.caller))


@rows_of(JobVersion, key="job_id")
def _current(view: View) -> Statement:
    return with_jobs(view).where(among(Job.id, KEYS), JobVersion.number == Job.current_number)


@rows_of(JobVersion, key="job_id")
def _drafts(view: View) -> Statement:
    is_draft = JobVersion.status == JobVersionStatus.DRAFT
    return with_jobs(view).where(among(JobVersion.job_id, KEYS), is_draft, visible(view.caller))


@rows_of(JobVersion, key="job_id")
def _numbered(view: View) -> Statement:
    return _versions(view).where(among(JobVersion.job_id, KEYS), JobVersion.number == NUMBER)


@rows_of(JobVersion, OfRun, key="run_id")
def _of_runs(view: View) -> Statement:
    is_its = (JobRun.job_id == JobVersion.job_id) & (JobRun.version_number == JobVersion.number)
    return _versions(view, JobRun.id.label("run_id")).join(JobRun, is_its).where(among(JobRun.id, KEYS))


@rows_of(JobVersion, OfChild, key="child_id")
def _bases(view: View) -> Statement:
    child = aliased(JobVersion)
    is_its = (child.job_id == JobVersion.job_id) & (child.based_on_number == JobVersion.number)
    # With the job, PostgreSQL looks versions up by its id in a dry run too, rather than read them all.
    return with_jobs(view, child.id.label("child_id")).join(child, is_its).where(among(child.id, KEYS))


@rows_of(JobVersion)
def _published(view: View) -> Statement:
    return select(*view.only(COLUMNS)).where(JobVersion.status == JobVersionStatus.PUBLISHED)


@rows_of(JobVersion)
def _of_saved_queries(view: View) -> Statement:
    """Check the versions of each query in the order of its index. A version may run it more than once."""
    earlier = select(Earlier.version_id).where(
        Earlier.version_id == JobVersionQuery.version_id,
        Earlier.query_id == JobVersionQuery.query_id,
        Earlier.position < JobVersionQuery.position,
    )
    rows = with_jobs(view).join(JobVersionQuery, JobVersionQuery.version_id == JobVersion.id)
    is_shown = visible(view.caller, access=Access.FORCED_LOOKUP)
    return rows.where(is_shown, ~is_any(earlier.correlate(JobVersionQuery)))


# Ids grow with the time of creation (decision 5).
OF_SAVED_QUERIES = PagedList(
    _of_saved_queries,
    JobVersionQuery.query_id,
    JobVersion.id,
    JobVersion.id,
    is_indexed=True,
    indexed=(JobVersionQuery.version_id,),
    rows_by_id=with_jobs,
)
OF_JOBS = PagedList(
    _published, JobVersion.job_id, JobVersion.number, JobVersion.id, is_indexed=True, indexed=(JobVersion.number,)
)
