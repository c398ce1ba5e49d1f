"""The conditions of a list of jobs, in two forms: for an index, and for a check of each row of a scan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    String,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from mainsheet.models.base import UtcDateTime
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_run import JobRunStatus
from mainsheet.models.job_tag import JobTag
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionQuery, JobVersionStatus
from mainsheet.models.source import SourceKind
from mainsheet.resolvers import search
from mainsheet.resolvers.permissions import is_any
from mainsheet.resolvers.sql.array_param import TextArray, among, among_these


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """The conditions that a listed job must match. `None` is no condition; an empty tuple matches nothing."""

    search: str | None = None
    statuses: tuple[JobStatus, ...] | None = None
    team_ids: tuple[str, ...] | None = None
    cluster_ids: tuple[str, ...] | None = None
    tags_all_of: tuple[str, ...] | None = None
    tags_any_of: tuple[str, ...] | None = None
    has_draft: bool | None = None
    has_schedule: bool | None = None
    source_kinds: tuple[SourceKind, ...] | None = None
    latest_run_statuses: tuple[JobRunStatus | None, ...] | None = None
    created_by_ids: tuple[str, ...] | None = None
    updated_by_ids: tuple[str, ...] | None = None
    created_since: datetime | None = None
    updated_since: datetime | None = None
    ids: tuple[str, ...] | None = None
    job_keys: tuple[str, ...] | None = None
    saved_query_ids: tuple[str, ...] | None = None


FLAGS = {"has_draft", "has_schedule"}
TAG_COUNT = "tag_count"
NO_CONDITIONS = {search.GRAMS, TAG_COUNT}  # parameters that belong to conditions of other names
NEVER_RAN = "_or_never"  # the suffix of the condition that also matches jobs that never ran
# These match at most one job for each of their values.
ONE_JOB_EACH = {"ids", "job_keys"}
# Their indexes imply the organization. With a condition for it, PostgreSQL would read all jobs of the organization.
IMPLY_ORGANIZATION = {
    *(search.SEARCH, "team_ids", "tags_all_of", "tags_any_of", "created_by_ids", "updated_by_ids", "saved_query_ids")
}
# Each of these has an index of its own, and often matches few of the jobs of a large organization.
NARROW = {*(IMPLY_ORGANIZATION - {search.SEARCH}), *ONE_JOB_EACH, "cluster_ids", "latest_run_statuses"}
# Conditions with an index of their own, which often match few jobs.
SELECTIVE = (
    IMPLY_ORGANIZATION
    | ONE_JOB_EACH
    | {"statuses", "cluster_ids", "source_kinds", "created_since", "updated_since"}
    | {"latest_run_statuses", f"latest_run_statuses{NEVER_RAN}"}
)


def parameters(job_filter: JobFilter, organization_id: str) -> Mapping[str, object]:
    """Return the values of the conditions by name, and the value for the search index."""
    values: dict[str, Any] = {name: value for name, value in vars(job_filter).items() if value is not None}
    values.pop("search", None)
    values |= search.parameters(job_filter.search or "", organization_id)
    for name in FLAGS & values.keys():
        values |= {name if values.pop(name) else f"no_{name}": None}
    if None in (job_filter.latest_run_statuses or ()):
        statuses = values.pop("latest_run_statuses")
        values[f"latest_run_statuses{NEVER_RAN}"] = [each for each in statuses if each is not None]
    if job_filter.tags_all_of is not None:
        tags = values["tags_all_of"] = set(values["tags_all_of"])
        values[TAG_COUNT] = len(tags)
        if not tags:  # all of no tags would match every job
            values["tags_any_of"] = ()
    return values


def by_index(*conditions: str) -> list[ColumnElement[bool]]:
    """Return the conditions with these names on `Job`, for its indexes. Each has a parameter of the same name."""
    return [BY_INDEX[name](name, Job) for name in conditions if name not in NO_CONDITIONS]


def by_row(job: type[Job], *conditions: str) -> list[ColumnElement[bool]]:
    """Return the same conditions for a scan of `job`, compared row by row."""
    return [BY_ROW[name](name, job) for name in conditions if name not in NO_CONDITIONS]


def _drafts(job: type[Job]) -> Select[str]:
    """Select drafts with a literal status, because the partial index of drafts has it."""
    is_draft = JobVersion.status == literal_column(f"'{JobVersionStatus.DRAFT}'")
    return select(JobVersion.job_id).where(JobVersion.job_id == job.id, is_draft).correlate(job)


def _grants(name: str) -> Select[str]:
    return select(_Grant.job_id).where(among(_Grant.team_id, _texts(name)))


def _tagged(name: str) -> Select[str]:
    own = JobTag.organization_id == bindparam("organization_id", type_=String(20))
    return select(JobTag.job_id).where(own, among(JobTag.tag, _texts(name)))


def _tags_of(name: str, job: type[Job]) -> Select[str]:
    return select(JobTag.job_id).where(JobTag.job_id == job.id, among(JobTag.tag, _texts(name))).correlate(job)


def _has_all(name: str, job: type[Job]) -> ColumnElement[bool]:
    return _tags_of(name, job).with_only_columns(func.count()).scalar_subquery() == _tag_count()


def _tag_count() -> BindParameter[int]:
    return bindparam(TAG_COUNT, type_=Integer())


def _running(name: str) -> Select[str]:
    """Select the jobs whose current version runs one of the saved queries. Each step looks rows up by ids."""
    version, job = aliased(JobVersion), aliased(Job)
    uses = select(JobVersionQuery.version_id).where(among(JobVersionQuery.query_id, _texts(name)))
    is_current = is_any(select(job.id).where(job.id == version.job_id, job.current_number == version.number))
    return select(version.job_id).where(among_these(version.id, uses), is_current)


def _runs(name: str, job: type[Job]) -> ColumnElement[bool]:
    its_query = among(JobVersionQuery.query_id, _texts(name))
    uses = select(JobVersionQuery.version_id).join(JobVersion, JobVersion.id == JobVersionQuery.version_id)
    is_its = (JobVersion.job_id == job.id, JobVersion.number == job.current_number, its_query)
    return is_any(uses.where(*is_its).correlate(job))


def _texts(name: str) -> BindParameter[Sequence[str]]:
    return bindparam(name, type_=TextArray())


_Grant = aliased(JobTeam)

Condition: TypeAlias = Callable[[str, type[Job]], ColumnElement[bool]]
BY_INDEX: Mapping[str, Condition] = {
    search.SEARCH: lambda name, _: search.matches_by_index(name, Job),
    "statuses": lambda name, job: among(job.status, _texts(name)),
    "team_ids": lambda name, job: among_these(job.id, _grants(name)),
    "cluster_ids": lambda name, job: among(job.current_cluster_id, _texts(name)),
    # With GROUP BY, SQLite would read the tags of all jobs.
    "tags_all_of": lambda name, job: among_these(job.id, _tagged(name)) & _has_all(name, job),
    "tags_any_of": lambda name, job: among_these(job.id, _tagged(name)),
    "has_draft": lambda _, job: _drafts(job).exists(),
    "no_has_draft": lambda _, job: ~_drafts(job).exists(),
    "has_schedule": lambda _, job: job.is_scheduled.is_(True),
    "no_has_schedule": lambda _, job: job.is_scheduled.is_(False),
    "source_kinds": lambda name, job: among(job.current_source_kind, _texts(name)),
    "latest_run_statuses": lambda name, job: among(job.latest_run_status, _texts(name)),
    f"latest_run_statuses{NEVER_RAN}": lambda name, job: (
        among(job.latest_run_status, _texts(name)) | job.latest_run_status.is_(None)
    ),
    "created_by_ids": lambda name, job: among(job.created_by_id, _texts(name)),
    "updated_by_ids": lambda name, job: among(job.updated_by_id, _texts(name)),
    "created_since": lambda name, job: job.created_at >= bindparam(name, type_=UtcDateTime()),
    "updated_since": lambda name, job: job.updated_at >= bindparam(name, type_=UtcDateTime()),
    "ids": lambda name, job: among(job.id, _texts(name)),
    "job_keys": lambda name, job: among(job.job_key, _texts(name)),
    "saved_query_ids": lambda name, job: among_these(job.id, _running(name)),
}
BY_ROW: Mapping[str, Condition] = {
    **BY_INDEX,
    search.SEARCH: search.matches,
    "team_ids": lambda name, job: is_any(_grants(name).where(_Grant.job_id == job.id).correlate(job)),
    "tags_all_of": _has_all,
    "tags_any_of": lambda name, job: is_any(_tags_of(name, job)),
    "has_draft": lambda _, job: is_any(_drafts(job)),
    "no_has_draft": lambda _, job: ~is_any(_drafts(job)),
    "saved_query_ids": _runs,
}
