"""The conditions of a list of jobs, in two forms: for an index, and for a check of each row of a scan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import BindParameter, ColumnClause, ColumnElement, Select, bindparam, literal_column, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import visitors

from mainsheet.models.base import UtcDateTime
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.resolvers import search
from mainsheet.resolvers.permissions import is_any
from mainsheet.resolvers.sql.array_param import TextArray, among, among_these


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """The conditions that a listed job must match. `None` is no condition; an empty tuple matches nothing."""

    search: str | None = None
    status: tuple[JobStatus, ...] | None = None
    teams: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None
    has_draft: bool | None = None
    has_schedule: bool | None = None
    created_by: tuple[str, ...] | None = None
    updated_since: datetime | None = None


FLAGS = {"has_draft", "has_schedule"}
# Their indexes imply the organization. With a condition for it, PostgreSQL would read all jobs of the organization.
IMPLY_ORGANIZATION = {search.SEARCH, "teams", "created_by"}
# Conditions with an index of their own, which often match few jobs.
SELECTIVE = IMPLY_ORGANIZATION | {"status", "clusters", "updated_since"}


def parameters(job_filter: JobFilter, organization_id: str) -> Mapping[str, object]:
    """Return the values of the conditions by name, and the value for the search index."""
    values: dict[str, object] = {name: value for name, value in vars(job_filter).items() if value is not None}
    values.pop("search", None)
    values |= search.parameters(job_filter.search or "", organization_id)
    for name in FLAGS & values.keys():
        values |= {name if values.pop(name) else f"no_{name}": None}
    return values


def by_index(*conditions: str) -> list[ColumnElement[bool]]:
    """Return the conditions with these names on `Job`, for its indexes. Each has a parameter of the same name."""
    return [BY_INDEX[name](name, Job) for name in conditions if name != search.GRAMS]


def by_row(job: type[Job], *conditions: str) -> list[ColumnElement[bool]]:
    """Return the same conditions for a scan of `job`, compared row by row."""
    return [BY_ROW[name](name, job) for name in conditions if name != search.GRAMS]


def columns(*conditions: str) -> Sequence[str]:
    """Return the names of the columns of `Job` that `by_row` compares."""
    parts = (part for condition in by_row(Job, *conditions) for part in visitors.iterate(condition))
    return sorted({part.key for part in parts if isinstance(part, ColumnClause) and part.table == Job.__table__})


def _drafts(job: type[Job]) -> Select[str]:
    """Select drafts with a literal status, because the partial index of drafts has it."""
    is_draft = JobVersion.status == literal_column(f"'{JobVersionStatus.DRAFT}'")
    return select(JobVersion.job_id).where(JobVersion.job_id == job.id, is_draft).correlate(job)


def _grants(name: str) -> Select[str]:
    return select(_Grant.job_id).where(among(_Grant.team_id, _texts(name)))


def _texts(name: str) -> BindParameter[Sequence[str]]:
    return bindparam(name, type_=TextArray())


_Grant = aliased(JobTeam)

Condition: TypeAlias = Callable[[str, type[Job]], ColumnElement[bool]]
BY_INDEX: Mapping[str, Condition] = {
    search.SEARCH: lambda name, _: search.matches_by_index(name),
    "status": lambda name, job: among(job.status, _texts(name)),
    "teams": lambda name, job: among_these(job.id, _grants(name)),
    "clusters": lambda name, job: among(job.current_cluster_id, _texts(name)),
    "has_draft": lambda _, job: _drafts(job).exists(),
    "no_has_draft": lambda _, job: ~_drafts(job).exists(),
    "has_schedule": lambda _, job: job.is_scheduled.is_(True),
    "no_has_schedule": lambda _, job: job.is_scheduled.is_(False),
    "created_by": lambda name, job: among(job.created_by_id, _texts(name)),
    "updated_since": lambda name, job: job.updated_at >= bindparam(name, type_=UtcDateTime()),
}
BY_ROW: Mapping[str, Condition] = {
    **BY_INDEX,
    search.SEARCH: search.matches,
    "teams": lambda name, job: is_any(_grants(name).where(_Grant.job_id == job.id).correlate(job)),
    "has_draft": lambda _, job: is_any(_drafts(job)),
    "no_has_draft": lambda _, job: ~is_any(_drafts(job)),
}
