"""The configurations of versions as values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import select

from mainsheet.models.job import Job
from mainsheet.models.job_config import DependencyCondition, JobConfig
from mainsheet.models.job_version import JobVersion, JobVersionDependency, JobVersionQuery
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of
from mainsheet.resolvers.turns import by_turns


async def visible_parts(read: Read, version_ids: Sequence[str]) -> Mapping[str, JobConfig]:
    """Return each version's configuration without its dependencies on jobs that are hidden or deleted."""
    found = await configs(read, version_ids)
    job_ids = {each.job_id for config in found.values() for each in config.dependencies}
    seen = {row.id for row in await read.rows(_visible_jobs, keys=list(job_ids))} if job_ids else set()
    return {
        version_id: replace(config, dependencies=tuple(each for each in config.dependencies if each.job_id in seen))
        for version_id, config in found.items()
    }


async def configs(read: Read, ids: Sequence[str]) -> Mapping[str, JobConfig]:
    rows = await read.rows(_whole_versions, keys=ids)
    dependencies = await read.grouped(_dependencies, ids)
    queries = await read.grouped(_query_ids, ids)
    return {row.id: _config(row, queries[row.id], dependencies[row.id]) async for row in by_turns(rows)}


class JobId(NamedTuple):
    id: str


@rows_of(JobId)
def _visible_jobs(view: View) -> Statement:
    return select(Job.id).where(among(Job.id, KEYS), visible(view.caller))


@rows_of(JobVersion)
def _whole_versions(_view: View) -> Statement:
    return select(*JobVersion.__table__.c).where(among(JobVersion.id, KEYS))


class VersionQuery(NamedTuple):
    version_id: str
    query_id: str


@rows_of(VersionQuery, key="version_id")
def _query_ids(_view: View) -> Statement:
    return (
        select(JobVersionQuery.version_id, JobVersionQuery.query_id)
        .where(among(JobVersionQuery.version_id, KEYS))
        .order_by(JobVersionQuery.version_id, JobVersionQuery.position)
    )


class StoredDependency(NamedTuple):
    id: str
    version_id: str
    depends_on_id: str | None
    deleted_job_id: str | None
    condition: DependencyCondition


@rows_of(StoredDependency, key="version_id")
def _dependencies(_view: View) -> Statement:
    columns = [getattr(JobVersionDependency, name) for name in StoredDependency._fields]
    return (
        select(*columns)
        .where(among(JobVersionDependency.version_id, KEYS))
        .order_by(JobVersionDependency.version_id, JobVersionDependency.position)
    )


def _config(row: JobVersion, queries: Sequence[VersionQuery], dependencies: Sequence[StoredDependency]) -> JobConfig:
    version = JobVersion(**{each.name: getattr(row, each.name) for each in JobVersion.__table__.c})
    version.queries = [JobVersionQuery(query_id=each.query_id) for each in queries]
    version.dependencies = [JobVersionDependency(**each._asdict()) for each in dependencies]
    return version.config
