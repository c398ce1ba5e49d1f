"""The dependencies of versions, and the jobs that depend on a job."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.job import Job
from mainsheet.models.job_config import DependencyCondition
from mainsheet.models.job_version import JobVersion, JobVersionDependency, JobVersionStatus
from mainsheet.resolvers.job import JOINS, select_jobs, with_relations
from mainsheet.resolvers.permissions import is_any, visible, was_visible
from mainsheet.resolvers.sql.array_param import KEYS, among, among_these
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Expression, Statement, View, rows_of

Target = aliased(Job)


class Dependency(NamedTuple):
    id: str
    version_id: str
    depends_on_id: str | None
    job_key: str | None
    is_deleted: bool
    condition: DependencyCondition


async def of_versions(read: Read, version_ids: Sequence[str]) -> Mapping[str, list[Dependency]]:
    return await read.grouped(_of_versions, version_ids)


@batch(*JOINS)
async def dependents(read: Read, job_ids: Sequence[str], arguments: PageArguments) -> Mapping[str, Page[Job]]:
    """List the visible jobs whose current version or draft depends on each job."""
    return await DEPENDENTS.pages(read, job_ids, arguments)


@rows_of(Dependency, key="version_id")
def _of_versions(view: View) -> Statement:
    """Select the dependencies in their order.

    The key is that of a job that the caller sees, or had access to when it was deleted.
    """
    columns: list[Expression] = [
        JobVersionDependency.version_id,
        JobVersionDependency.depends_on_id,
        _job_key(view).label("job_key"),
        JobVersionDependency.depends_on_id.is_(None).label("is_deleted"),
        JobVersionDependency.condition,
    ]
    return (
        select(JobVersionDependency.id, *view.only(columns, "version_id"))
        .where(among(JobVersionDependency.version_id, KEYS))
        .order_by(JobVersionDependency.version_id, JobVersionDependency.position)
    )


def _job_key(view: View) -> ColumnElement[str | None]:
    present = select(Job.job_key).where(Job.id == JobVersionDependency.depends_on_id, visible(view.caller))
    deleted = select(DeletedJob.job_key).where(
        DeletedJob.id == JobVersionDependency.deleted_job_id, was_visible(view.caller)
    )
    return func.coalesce(present.scalar_subquery(), deleted.scalar_subquery())


def depends_on(job_id: Expression) -> ColumnElement[bool]:
    """Whether the current version or the draft of a job depends on the job with this id.

    Each step looks rows up by ids. With joins, PostgreSQL would read all versions, as some jobs have many dependents.
    """
    version, other = aliased(JobVersion), aliased(Job)
    dependencies = select(JobVersionDependency.version_id).where(JobVersionDependency.depends_on_id == job_id)
    is_current = select(other.id).where(other.id == version.job_id, other.current_number == version.number)
    waiting = select(version.job_id).where(
        among_these(version.id, dependencies.correlate(Target)),
        (version.status == JobVersionStatus.DRAFT) | is_any(is_current.correlate(version)),
    )
    return among_these(Job.id, waiting)


@rows_of(Job)
def _dependents(view: View) -> Statement:
    return select_jobs(view).join(Target, depends_on(Target.id)).where(visible(view.caller))


DEPENDENTS = PagedList(_dependents, Target.id, Job.job_key, Job.id, join=with_relations)
