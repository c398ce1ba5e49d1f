"""Look up what the model needs to know of the ids in a configuration."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, Select, bindparam, func, literal_column, select, true

from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_version import JobVersion, JobVersionDependency
from mainsheet.models.limits import storable
from mainsheet.models.organization import Organization
from mainsheet.models.references import References
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.source import SavedQueries
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.sql.pagination.scan_then_index import NO_OFFSET
from mainsheet.resolvers.sql.statement import caller_of_parameters
from mainsheet.resolvers.write import IDS, ORGANIZATION_ID, Write

CLUSTER = select(Cluster.id, Cluster.status).where(
    Cluster.id == bindparam("cluster_id"), Cluster.organization_id == ORGANIZATION_ID
)
QUERIES = select(SavedQuery.id).where(SavedQuery.organization_id == ORGANIZATION_ID, among(SavedQuery.id, IDS))
LOCKED_ORGANIZATION = select(Organization.id).where(Organization.id == ORGANIZATION_ID).with_for_update(key_share=True)


@lru_cache
def _visible_jobs(role: OrganizationRole) -> Select[str]:
    return select(Job.id).where(among(Job.id, IDS), visible(caller_of_parameters(role)))


async def references_of(
    write: Write, config: JobConfig, values: Mapping[str, Any], *, will_run: bool = False
) -> References:
    """Look up what `config` names, where the caller gave `values` of it.

    Stored dependencies stay without a check: the caller needn't see their jobs to keep them. With `will_run`, the
    current versions of the jobs are followed, under a lock of the organization's row: two concurrent publications
    could close a cycle that neither of them sees. A given job that the caller can't see isn't followed: an error about
    a cycle would reveal that the job exists.
    """
    job_ids = [each.job_id for each in config.dependencies]
    query_ids = config.source.query_ids if isinstance(config.source, SavedQueries) else ()
    visible_jobs = _visible_jobs(write.caller.organization_role)
    jobs = await _ids(write, visible_jobs, job_ids) if "dependencies" in values else frozenset(job_ids)
    followed = [each.job_id for each in config.dependencies if each.id or each.job_id in jobs]
    return References(
        clusters=await _clusters(write, config.cluster_id),
        queries=await _ids(write, QUERIES, query_ids),
        jobs=jobs,
        waits_for=await _waits_for(write, followed) if will_run and followed else {},
    )


async def _clusters(write: Write, cluster_id: str) -> Mapping[str, Any]:
    own = write.parameters(cluster_id=cluster_id)
    return {row.id: row.status for row in await write.session.execute(CLUSTER, own)} if storable(cluster_id) else {}


async def _ids(write: Write, statement: Select[str], ids: Sequence[str]) -> frozenset[str]:
    """Return those of the ids that the statement finds."""
    return frozenset(await write.session.scalars(statement, write.parameters(ids)) if ids else ())


async def _waits_for(write: Write, job_ids: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return what these jobs depend on, and what those depend on, and so on, by one statement however many they are."""
    await write.session.execute(LOCKED_ORGANIZATION, write.parameters())
    found: dict[str, list[str]] = {job_id: [] for job_id in job_ids}
    followed = _followed(is_sqlite=write.session.get_bind().dialect.name == "sqlite")
    for row in await write.session.execute(followed, write.parameters(list(found))):
        found.setdefault(row.job_id, []).append(row.depends_on_id)
    return found


@lru_cache
def _followed(*, is_sqlite: bool) -> Select[str, str | None]:
    """Select the dependencies of the current versions of these jobs, and of all jobs that they lead to."""
    jobs = select(Job.id).where(among(Job.id, IDS)).cte("jobs", recursive=True)
    following = _dependencies_of(jobs, is_sqlite=is_sqlite)
    jobs = jobs.union(following.with_only_columns(following.selected_columns.depends_on_id))  # each job once
    return _dependencies_of(jobs, is_sqlite=is_sqlite)


def _dependencies_of(jobs: CTE, *, is_sqlite: bool) -> Select[str, str | None]:
    """Select the dependencies of each job, looked up by its id: PostgreSQL would read those of all jobs at each step.

    SQLite looks them up without LATERAL, which it doesn't have, if it knows that there are few jobs.
    """
    own = (
        select(JobVersion.job_id, JobVersionDependency.depends_on_id)
        .join(Job, (JobVersion.job_id == Job.id) & (JobVersion.number == Job.current_number))
        .join(JobVersionDependency, JobVersionDependency.version_id == JobVersion.id)
        .where(JobVersionDependency.depends_on_id.is_not(None))
    )
    if is_sqlite:
        return own.where(func.likelihood(Job.id == jobs.c.id, literal_column("0.00001")))
    of_job = own.where(Job.id == jobs.c.id).correlate(jobs).offset(NO_OFFSET).lateral("dependencies")
    return select(of_job.c.job_id, of_job.c.depends_on_id).join_from(jobs, of_job, true())
