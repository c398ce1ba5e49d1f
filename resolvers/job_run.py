from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, FromClause, String, bindparam, inspect, select, true
from sqlalchemy.orm import aliased

from mainsheet.models.base import UtcDateTime
from mainsheet.models.clock import database_time
from mainsheet.models.executed_query import ExecutedQuery, SavedQueryRevision
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion
from mainsheet.models.run_lease import RunLease
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.permissions import is_any, sees_all_jobs, visible
from mainsheet.resolvers.sql.array_param import KEYS, TextArray, among, among_these
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.pagination.scan_then_index import ScanThenIndex
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Expression, Statement, View, rows_of

COLUMNS = JobRun.__table__.c
Condition: TypeAlias = Callable[[str, type[JobRun]], ColumnElement[bool]]
GRANTED = "is_granted"
IN_ORDER = {"since", "until"}  # conditions that the index of the order contains


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, JobRun]:
    return await read.keyed(_by_ids, keys=ids)


async def latest(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobRun]:
    return await read.keyed(_latest, keys=job_ids)


@dataclass(frozen=True, kw_only=True)
class JobRunFilter:
    """The conditions that a listed run must match. `None` is no condition; an empty tuple matches nothing."""

    statuses: tuple[JobRunStatus, ...] | None = None
    job_ids: tuple[str, ...] | None = None
    cluster_ids: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    scheduled_since: datetime | None = None
    scheduled_until: datetime | None = None


@dataclass(frozen=True)
class JobRunListArguments:
    page: PageArguments
    filter: JobRunFilter


async def of_jobs(read: Read, job_ids: Sequence[str], arguments: JobRunListArguments) -> Mapping[str, Page[JobRun]]:
    """List each job's runs by time."""
    return await _pages(OF_JOBS, read, job_ids, arguments)


async def of_versions(
    read: Read, version_ids: Sequence[str], arguments: JobRunListArguments
) -> Mapping[str, Page[JobRun]]:
    """List each version's runs by time."""
    return await _pages(OF_VERSIONS, read, version_ids, arguments)


async def of_clusters(
    read: Read, cluster_ids: Sequence[str], arguments: JobRunListArguments
) -> Mapping[str, Page[JobRun]]:
    """List the runs on each cluster by time, of the jobs that the caller sees."""
    return await _pages(OF_CLUSTERS, read, cluster_ids, arguments)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: JobRunListArguments
) -> Mapping[str, Page[JobRun]]:
    """List the runs by time, of the jobs that the caller sees.

    Unless the index of the order has all conditions, it isn't known how soon a scan fills a page.
    """
    parameters = _parameters(arguments)
    if not (sees_all_jobs(read.caller) or "job_ids" in parameters):  # those are few enough to look up
        parameters[GRANTED] = None
    path = OF_ORGANIZATIONS if parameters.keys() <= IN_ORDER else MATCHES_OF_ORGANIZATIONS
    return await path.pages(read, organization_ids, arguments.page, parameters=parameters)


async def _pages(
    runs: PagedList[JobRun], read: Read, keys: Sequence[str], arguments: JobRunListArguments
) -> Mapping[str, Page[JobRun]]:
    return await runs.pages(read, keys, arguments.page, parameters=_parameters(arguments))


def _parameters(arguments: JobRunListArguments) -> dict[str, object]:
    return {name: value for name, value in vars(arguments.filter).items() if value is not None}


class ClaimedRun(NamedTuple):
    run_id: str
    attempt: int
    lease_expires_at: datetime


async def claimed(
    read: Read, claims: Sequence[tuple[tuple[str, int], ...]]
) -> Mapping[tuple[tuple[str, int], ...], list[ClaimedRun]]:
    """Return those of the claims, given as the runs' ids and attempts, whose leases last."""
    ids = {run_id for own in claims for run_id, _ in own}
    rows = await read.keyed(_live_leases, keys=list(ids))
    return {
        own: [rows[run_id] for run_id, attempt in own if run_id in rows and rows[run_id].attempt == attempt]
        for own in claims
    }


@rows_of(ClaimedRun, key="run_id")
def _live_leases(_view: View) -> Statement:
    columns = (RunLease.run_id, RunLease.attempt, RunLease.expires_at.label("lease_expires_at"))
    return select(*columns).where(among(RunLease.run_id, KEYS), RunLease.expires_at > database_time())


class ExecutedQueryRow(NamedTuple):
    run_id: str
    saved_query_id: str
    revision: int
    name: str
    sql: str


async def executed_queries(read: Read, run_ids: Sequence[str]) -> Mapping[str, list[ExecutedQueryRow]]:
    """Return the saved queries of each run's last claim, in the order in which they run."""
    return await read.grouped(_executed_queries, run_ids)


@rows_of(ExecutedQueryRow, key="run_id")
def _executed_queries(_view: View) -> Statement:
    text = SavedQueryRevision
    is_its = (text.saved_query_id == ExecutedQuery.saved_query_id) & (text.revision == ExecutedQuery.revision)
    is_last = (JobRun.id == ExecutedQuery.run_id) & (JobRun.attempt == ExecutedQuery.attempt)
    columns = (ExecutedQuery.run_id, text.saved_query_id, text.revision, text.name, text.sql)
    rows = select(*columns).select_from(ExecutedQuery).join(text, is_its).join(JobRun, is_last)
    return rows.where(among(ExecutedQuery.run_id, KEYS)).order_by(ExecutedQuery.run_id, ExecutedQuery.position)


class LeaseEnd(NamedTuple):
    run_id: str
    expires_at: datetime


async def lease_ends(read: Read, run_ids: Sequence[str]) -> Mapping[str, datetime]:
    """Return when the lease of each run that a worker holds will expire."""
    rows = await read.keyed(_lease_ends, keys=run_ids)
    return {run_id: row.expires_at for run_id, row in rows.items()}


@rows_of(LeaseEnd, key="run_id")
def _lease_ends(_view: View) -> Statement:
    return select(RunLease.run_id, RunLease.expires_at).where(among(RunLease.run_id, KEYS))


@rows_of(JobRun)
def _by_ids(view: View) -> Statement:
    rows = select(*view.only(COLUMNS)).join(Job, Job.id == JobRun.job_id)
    return rows.where(among(JobRun.id, KEYS), visible(view.caller))


def newest(view: View, job_id: Expression) -> tuple[FromClause, ColumnElement[bool]]:
    """Return a table with the newest run of a job, which the index gives, and the condition to join it.

    SQLite has no LATERAL, so it looks the run up again by its id.
    """
    run = aliased(JobRun)
    runs = select(run.id).where(run.job_id == job_id).order_by(run.created_at.desc(), run.id.desc()).limit(1)
    if view.is_sqlite:
        return JobRun.__table__, JobRun.id == runs.scalar_subquery()
    return runs.with_only_columns(*view.only(inspect(run).selectable.c, "job_id")).lateral("latest_run"), true()


@rows_of(JobRun, key="job_id")
def _latest(view: View) -> Statement:
    latest, is_its = newest(view, Job.id)
    columns = view.only(latest.c, "job_id")
    return select(*columns).select_from(Job).join(latest, is_its).where(among(Job.id, KEYS))


@rows_of(JobRun)
def _of_job(view: View, *conditions: str) -> Statement:
    return select(*view.only(COLUMNS)).where(*_by_index(*conditions))


@rows_of(JobRun)
def _of_version(view: View, *conditions: str) -> Statement:
    is_its = (JobVersion.job_id == JobRun.job_id) & (JobVersion.number == JobRun.version_number)
    return _of_job(view, *conditions).join(JobVersion, is_its)


@rows_of(JobRun)
def _visible(view: View, *conditions: str) -> Statement:
    """Select the runs of visible jobs, each checked in the order of the list."""
    return _of_job(view, *conditions).where(_is_visible(view, JobRun))


def _is_visible(view: View, run: type[JobRun]) -> ColumnElement[bool]:
    caller = view.caller
    own: ColumnElement[bool] = run.organization_id == caller.organization_id
    if sees_all_jobs(caller):
        return own
    return own & is_any(select(Job.id).where(Job.id == run.job_id, visible(caller)).correlate(run))


def _by_index(*names: str) -> list[ColumnElement[bool]]:
    return [CONDITIONS[name](name, JobRun) for name in names]


def _by_row(run: type[JobRun], *names: str) -> list[ColumnElement[bool]]:
    return [CONDITIONS[name](name, run) for name in names if name != GRANTED]


def _among(column: str) -> Condition:
    return lambda name, run: among(getattr(run, column), bindparam(name, type_=TextArray()))


def _since(column: str) -> Condition:
    return lambda name, run: getattr(run, column) >= bindparam(name, type_=UtcDateTime())


def _until(column: str) -> Condition:
    return lambda name, run: getattr(run, column) < bindparam(name, type_=UtcDateTime())


def _granted(_name: str, run: type[JobRun]) -> ColumnElement[bool]:
    """Whether a team of the caller has access to the run's job: from there, few runs are read if there are few jobs."""
    own = TeamMember.actor_id == bindparam("actor_id", type_=String(20))
    jobs = select(JobTeam.job_id).join(TeamMember, TeamMember.team_id == JobTeam.team_id).where(own)
    return among_these(run.job_id, jobs)


CONDITIONS: Mapping[str, Condition] = {
    "statuses": _among("status"),
    "job_ids": _among("job_id"),
    "cluster_ids": _among("cluster_id"),
    "since": _since("created_at"),
    "until": _until("created_at"),
    "scheduled_since": _since("scheduled_for"),
    "scheduled_until": _until("scheduled_for"),
    GRANTED: _granted,
}
MATCHES = ScanThenIndex(JobRun, _by_index, _by_row, {"job_ids", GRANTED}, _is_visible, ("job_id",))
OF_JOBS = PagedList(_of_job, JobRun.job_id, JobRun.created_at, JobRun.id, is_indexed=True)
OF_VERSIONS = PagedList(_of_version, JobVersion.id, JobRun.created_at, JobRun.id, is_indexed=True)
OF_CLUSTERS = PagedList(_visible, JobRun.cluster_id, JobRun.created_at, JobRun.id, is_indexed=True)
OF_ORGANIZATIONS = PagedList(_visible, JobRun.organization_id, JobRun.created_at, JobRun.id)
MATCHES_OF_ORGANIZATIONS = PagedList(
    _visible,
    JobRun.organization_id,
    JobRun.created_at,
    JobRun.id,
    page_ids=MATCHES.page_ids,
    rows_by_id=_of_job.build,
)
