"""Changes of configurations, without the keys of jobs that the caller can't see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select, union_all
from sqlalchemy.orm import aliased

from mainsheet.models.config_diff import Change, Value, differences
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.errors import BadInput
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.job_config import DependencyCondition, JobConfig
from mainsheet.models.job_version import JobVersion, JobVersionDependency, JobVersionQuery
from mainsheet.resolvers.permissions import visible, was_visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import NUMBER, Statement, View, rows_of
from mainsheet.resolvers.turns import by_turns

HIDDEN = "hidden"


@dataclass(frozen=True)
class ConfigChange:
    path: Sequence[str]
    kind: str
    before: Value | None
    after: Value | None


async def of_versions(read: Read, version_ids: Sequence[str], since: int | None) -> Mapping[str, list[ConfigChange]]:
    """Return the differences from version `since`, or by default from the version that each was based on.

    Raises `BadInput` if a version's job has no version `since`.
    """
    bases = await _bases(read, version_ids, since)
    if since is not None and set(version_ids) - bases.keys():
        raise BadInput(f"since: the job has no version {since}.")
    configs = await _configs(read, {*version_ids, *bases.values()})
    changes = {
        version_id: differences(configs.get(bases.get(version_id, "")), configs[version_id])
        async for version_id in by_turns(version_ids)
    }
    return await _named(read, changes)


async def of_events(read: Read, event_ids: Sequence[str]) -> Mapping[str, list[ConfigChange]]:
    """Return the changes that each event recorded."""
    return await _named(read, {row.id: row.changes for row in await read.rows(_event_changes, keys=event_ids)})


async def _bases(read: Read, version_ids: Sequence[str], since: int | None) -> Mapping[str, str]:
    rows = await read.rows(_base_ids, since is not None, keys=version_ids, number=since)
    return {row.id: row.base_id for row in rows}


async def _configs(read: Read, ids: Iterable[str]) -> Mapping[str, JobConfig]:
    ids = list(ids)
    rows = await read.rows(_whole_versions, keys=ids)
    dependencies = await read.grouped(_dependencies, ids)
    queries = await read.grouped(_query_ids, ids)
    return {row.id: _config(row, queries[row.id], dependencies[row.id]) async for row in by_turns(rows)}


class EventChanges(NamedTuple):
    id: str
    changes: list[Change]


@rows_of(EventChanges)
def _event_changes(_view: View) -> Statement:
    return select(Event.id, Event.changes).where(among(Event.id, KEYS))


class BaseId(NamedTuple):
    id: str
    base_id: str


@rows_of(BaseId)
def _base_ids(_view: View, is_since: bool) -> Statement:
    base = aliased(JobVersion)
    number = NUMBER if is_since else JobVersion.based_on_number
    is_its = (base.job_id == JobVersion.job_id) & (base.number == number)
    return select(JobVersion.id, base.id.label("base_id")).join(base, is_its).where(among(JobVersion.id, KEYS))


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


class JobKey(NamedTuple):
    id: str
    job_key: str


@rows_of(JobKey)
def _job_keys(view: View) -> Statement:
    """Select the keys of jobs that the caller sees, and of deleted ones to which they had access."""
    present = select(Job.id, Job.job_key).where(among(Job.id, KEYS), visible(view.caller))
    deleted = select(DeletedJob.id, DeletedJob.job_key).where(
        among(DeletedJob.id, KEYS), was_visible(view.caller), DeletedJob.job_key.is_not(None)
    )
    both = union_all(present, deleted).subquery("both")
    return select(both.c.id, both.c.job_key)


def _config(row: JobVersion, queries: Sequence[VersionQuery], dependencies: Sequence[StoredDependency]) -> JobConfig:
    version = JobVersion(**{each.name: getattr(row, each.name) for each in JobVersion.__table__.c})
    version.queries = [JobVersionQuery(query_id=each.query_id) for each in queries]
    version.dependencies = [JobVersionDependency(**each._asdict()) for each in dependencies]
    return version.config


async def _named(read: Read, changes: Mapping[str, Sequence[Change]]) -> Mapping[str, list[ConfigChange]]:
    """Replace the job id of each dependency by the job's key, or by `hidden` if the caller can't see that job."""
    ids = {each["path"][1] for listed in changes.values() for each in listed if _is_dependency(each)}
    keys = {row.id: row.job_key for row in await read.rows(_job_keys, keys=list(ids))} if ids else {}
    return {owner: [_change(each, keys) for each in listed] for owner, listed in changes.items()}


def _is_dependency(change: Change) -> bool:
    return change["path"][0] == "dependencies"


def _change(change: Change, keys: Mapping[str, str]) -> ConfigChange:
    path = change["path"]
    if _is_dependency(change):
        path = [path[0], keys.get(path[1], HIDDEN)]
    return ConfigChange(path, change["kind"], change["before"], change["after"])
