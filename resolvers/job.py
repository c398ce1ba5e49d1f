from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    bindparam,
    exists,
    inspect,
    literal,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from models.base import UtcDateTime
from models.cluster import Cluster
from models.job import Job, JobStatus
from models.job_run import JobRun
from models.job_team import JobTeam
from models.job_version import JobVersion, VersionStatus
from resolvers import job_run, search
from resolvers.keys import KEYS, TextArray, among
from resolvers.pages import Listing, Page, Paging
from resolvers.permissions import met, reached, sees_all_jobs, visible
from resolvers.prepared import OPTIONAL, Build, Statement, View, within
from resolvers.reach import Reach
from resolvers.read import Read, batch

FOR_LISTS = {"search_text", "current_cluster_id", "is_scheduled"}
COLUMNS = [column for column in Job.__table__.c if column.name not in FOR_LISTS]
REACH = Reach()
NEAR = 1000  # how far into a list rows are met one by one, until it is cheaper to take all and sort them


class JobSortField(StrEnum):
    JOB_KEY = "JOB_KEY"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


SORTED_BY: Mapping[JobSortField, Any] = {
    JobSortField.JOB_KEY: Job.job_key,
    JobSortField.CREATED_AT: Job.created_at,
    JobSortField.UPDATED_AT: Job.updated_at,
}


JOINS = ("current_version", "current_version.cluster", "latest_run")


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """What a listed job must be; `None` asks nothing, an empty tuple lets nothing through."""

    search: str | None = None
    status: tuple[JobStatus, ...] | None = None
    teams: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None
    has_draft: bool | None = None
    has_schedule: bool | None = None
    created_by: tuple[str, ...] | None = None
    updated_since: datetime | None = None


@dataclass(frozen=True)
class JobList:
    paging: Paging
    sort_by: JobSortField
    descending: bool
    filter: JobFilter


@batch(*JOINS, is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Any]:
    return await read.keyed(_by_ids, keys=ids)


async def of_cycles(read: Read, cycles: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Any]]:
    """Return the jobs along each cycle of ids, null where the caller can't see one."""
    found = await by_ids(read, list({job_id for cycle in cycles for job_id in cycle}))
    return {cycle: [found.get(job_id) for job_id in cycle] for cycle in cycles}


@batch(*JOINS, is_one_statement=True)
async def by_keys(read: Read, job_keys: Sequence[str]) -> Mapping[str, Any]:
    return await read.keyed(_by_keys, key="job_key", keys=job_keys)


@batch(*JOINS)
async def of_organizations(read: Read, organization_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page]:
    is_met = wanted.paging.offset <= NEAR and not sees_all_jobs(read.caller) and await REACH.is_wide(read)
    return await _pages(MET if is_met else OF_ORGANIZATIONS, read, organization_ids, wanted)


@batch(*JOINS)
async def of_teams(read: Read, team_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page]:
    return await _pages(OF_TEAMS, read, team_ids, wanted)


@batch(*JOINS)
async def of_clusters(read: Read, cluster_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page]:
    """List the jobs whose current version targets the cluster."""
    return await _pages(OF_CLUSTERS, read, cluster_ids, wanted)


async def _pages(
    listings: Mapping[JobSortField, Listing], read: Read, keys: Sequence[str], wanted: JobList
) -> Mapping[str, Page]:
    asked = {name: value for name, value in vars(wanted.filter).items() if value is not None}
    asked |= search.asked(asked.pop("search", ""))
    for name in FLAGS & asked.keys():
        asked |= {name if asked.pop(name) else f"no_{name}": None}
    listing = listings[wanted.sort_by]
    return await listing.pages(read, keys, wanted.paging, descending=wanted.descending, asked=asked)


def _jobs(view: View, *needed: str) -> Statement:
    joined_by = ("current_number",) if view.joins else ()
    return select(*view.only(COLUMNS, *needed, *joined_by))


def _dressed(view: View, jobs: Statement) -> Statement:
    return _with_relations(view, jobs.subquery("page")) if view.joins else jobs


def _with_relations(view: View, jobs: FromClause) -> Statement:
    """Join what is wanted of the current version, its cluster, the latest run: of each there is one at the most."""
    source, columns = jobs, [*jobs.c]
    if version := view.joined("current_version"):
        is_current = (_Current.job_id == jobs.c.id) & (_Current.number == jobs.c.current_number)
        own = version.only([*inspect(_Current).selectable.c, literal(value=True).label("is_current")])
        source, columns = source.join(_Current, is_current), columns + within("current_version", own)
        if cluster := version.joined("cluster"):
            source = source.join(Cluster, Cluster.id == _Current.cluster_id)
            columns += within("current_version.cluster", cluster.only(Cluster.__table__.c))
    if run := view.joined("latest_run"):
        source = source.outerjoin(JobRun, JobRun.id == job_run.newest(jobs.c.id))
        columns += within(f"latest_run{OPTIONAL}", run.only(job_run.COLUMNS))
    return select(*columns).select_from(source)


def _by_ids(view: View) -> Statement:
    return _dressed(view, _jobs(view).where(among(Job.id, KEYS), visible(view.caller)))


def _by_keys(view: View) -> Statement:
    return _dressed(view, _jobs(view, "job_key").where(among(Job.job_key, KEYS), visible(view.caller)))


def _that(view: View, *asked: str) -> Statement:
    """Select the visible jobs that meet the conditions asked for, each with a parameter of its name."""
    return _asked(view, visible(view.caller), *asked)


def _reached(view: View, *asked: str) -> Statement:
    return _asked(view, reached(view.caller), *asked)


def _met(view: View, *asked: str) -> Statement:
    return _asked(view, met(view.caller), *asked)


def _asked(view: View, seen: ColumnElement[bool], *asked: str) -> Statement:
    return _jobs(view).where(seen, *(CONDITIONS[name](name) for name in asked if name != search.GRAMS))


def _shared(view: View, *asked: str) -> Statement:
    return _that(view, *asked).join(JobTeam, JobTeam.job_id == Job.id)


def _has_draft(_name: str) -> ColumnElement[bool]:
    """With the status in the statement's text, as the index of drafts has it."""
    is_draft = JobVersion.status == literal_column(f"'{VersionStatus.DRAFT}'")
    return exists().where(JobVersion.job_id == Job.id, is_draft)


def _shared_with(name: str) -> ColumnElement[bool]:
    return Job.id.in_(select(_Grant.job_id).where(among(_Grant.team_id, _texts(name))))


def _texts(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=TextArray())


_Current = aliased(JobVersion)
_Grant = aliased(JobTeam)

FLAGS = {"has_draft", "has_schedule"}
CONDITIONS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "search": search.found,
    search.SHORT: search.found,
    "status": lambda name: among(Job.status, _texts(name)),
    "teams": _shared_with,
    "clusters": lambda name: among(Job.current_cluster_id, _texts(name)),
    "has_draft": _has_draft,
    "no_has_draft": lambda name: ~_has_draft(name),
    "has_schedule": lambda _: Job.is_scheduled.is_(True),
    "no_has_schedule": lambda _: Job.is_scheduled.is_(False),
    "created_by": lambda name: among(Job.created_by_id, _texts(name)),
    "updated_since": lambda name: Job.updated_at >= bindparam(name, type_=UtcDateTime()),
}


def _by_each(rows: Build, parent: Any, counted: Build | None = None) -> Mapping[JobSortField, Listing]:
    return {
        name: Listing(rows, parent, by, Job.id, dress=_with_relations, counted=counted)
        for name, by in SORTED_BY.items()
    }


OF_ORGANIZATIONS = _by_each(_reached, Job.organization_id)
MET = _by_each(_met, Job.organization_id, counted=_reached)
OF_TEAMS = _by_each(_shared, JobTeam.team_id)
OF_CLUSTERS = _by_each(_that, Job.current_cluster_id)
