from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import FromClause, Select, inspect, literal, select
from sqlalchemy.orm import aliased

from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion
from mainsheet.resolvers import job_filter, job_run
from mainsheet.resolvers.job_filter import JobFilter
from mainsheet.resolvers.job_list import nearby
from mainsheet.resolvers.job_list.reach import Reach
from mainsheet.resolvers.permissions import Access, sees_all_jobs, visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.listing import Listing, Page, Paging
from mainsheet.resolvers.sql.pagination.slices import List, ids_of_one
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import OPTIONAL, Attribute, Expression, Query, Statement, View, rows_of, within

FOR_LISTS = {"search_text", "current_cluster_id", "is_scheduled"}
COLUMNS: list[Expression] = [column for column in Job.__table__.c if column.name not in FOR_LISTS]
REACH = Reach()
NEAR = 1000  # how far into a list rows are met one by one, until it is cheaper to read the index alone


class JobSortField(StrEnum):
    JOB_KEY = "JOB_KEY"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


SORTED_BY: Mapping[JobSortField, Attribute] = {
    JobSortField.JOB_KEY: Job.job_key,
    JobSortField.CREATED_AT: Job.created_at,
    JobSortField.UPDATED_AT: Job.updated_at,
}

# What an index has in the order, or most jobs are: a page of it fills soon when jobs are met one by one.
IN_ORDER: Mapping[JobSortField, set[str]] = {
    JobSortField.JOB_KEY: {"no_has_draft"},
    JobSortField.CREATED_AT: {"no_has_draft", "status", "has_schedule", "no_has_schedule"},
    JobSortField.UPDATED_AT: {"no_has_draft", "updated_since"},
}


JOINS = ("current_version", "current_version.cluster", "latest_run")


@dataclass(frozen=True)
class JobList:
    paging: Paging
    sort_by: JobSortField
    descending: bool
    filter: JobFilter


@batch(*JOINS, is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Job]:
    return await read.keyed(_by_ids, keys=ids)


async def of_cycles(read: Read, cycles: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Job | None]]:
    """Return the jobs along each cycle of ids, null where the caller can't see one."""
    found = await by_ids(read, list({job_id for cycle in cycles for job_id in cycle}))
    return {cycle: [found.get(job_id) for job_id in cycle] for cycle in cycles}


@batch(*JOINS, is_one_statement=True)
async def by_keys(read: Read, job_keys: Sequence[str]) -> Mapping[str, Job]:
    return await read.keyed(_by_keys, keys=job_keys)


@batch(*JOINS, is_one_statement=True)  # what `REACH` may ask before only decides how
async def of_organizations(read: Read, organization_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page[Job]]:
    return await _pages(await _way(read, wanted), read, organization_ids, wanted)


async def _way(read: Read, wanted: JobList) -> Mapping[JobSortField, Listing[Job]]:
    """Choose how the organization's jobs are read: all ways show the same, but in their own time."""
    if not sees_all_jobs(read.caller) and not await REACH.is_wide(read):
        return OF_ORGANIZATIONS
    if wanted.paging.offset > NEAR:
        return FAR_AWAY
    parameters = job_filter.parameters(wanted.filter, read.caller.organization_id)
    return MET if parameters.keys() <= IN_ORDER[wanted.sort_by] else SOUGHT


@batch(*JOINS)
async def of_teams(read: Read, team_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page[Job]]:
    """List each team's jobs: by the index for who sees all of them; who doesn't is asked about all at once."""
    return await _pages(ALL_OF_TEAMS if sees_all_jobs(read.caller) else OF_TEAMS, read, team_ids, wanted)


@batch(*JOINS)
async def of_clusters(read: Read, cluster_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page[Job]]:
    """List the jobs whose current version targets the cluster."""
    return await _pages(OF_CLUSTERS, read, cluster_ids, wanted)


async def _pages(
    listings: Mapping[JobSortField, Listing[Job]], read: Read, keys: Sequence[str], wanted: JobList
) -> Mapping[str, Page[Job]]:
    parameters = job_filter.parameters(wanted.filter, read.caller.organization_id)
    listing = listings[wanted.sort_by]
    return await listing.pages(read, keys, wanted.paging, descending=wanted.descending, parameters=parameters)


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


@rows_of(Job)
def _by_ids(view: View) -> Statement:
    return _dressed(view, _jobs(view).where(among(Job.id, KEYS), visible(view.caller)))


@rows_of(Job, key="job_key")
def _by_keys(view: View) -> Statement:
    return _dressed(view, _jobs(view, "job_key").where(among(Job.job_key, KEYS), visible(view.caller)))


def _that(view: View, *conditions: str) -> Statement:
    """Select the visible jobs that meet the conditions asked for, each with a parameter of its name."""
    return _with(view, Access.LOOKUP, *conditions)


@rows_of(Job)
def _reached(view: View, *conditions: str) -> Statement:
    return _with(view, Access.SET, *conditions)


@rows_of(Job)
def _met(view: View, *conditions: str) -> Statement:
    return _with(view, Access.FORCED_LOOKUP, *conditions)


@rows_of(Job)
def _gathered(view: View, *conditions: str) -> Statement:
    return _with(view, Access.FORCED_SET, *conditions)


def _counted(view: View, *conditions: str) -> Statement:
    """Begin with the caller's jobs on SQLite, unless an index has only a few that meet the conditions."""
    is_by_caller = view.is_sqlite and not job_filter.NARROW.intersection(conditions)
    return _reached(view, *conditions) if is_by_caller else _gathered(view, *conditions)


def _with(view: View, access: Access, *conditions: str) -> Statement:
    return _jobs(view).where(visible(view.caller, access=access), *job_filter.found(*conditions))


@rows_of(Job)
def _shared(view: View, *conditions: str) -> Statement:
    return _that(view, *conditions).join(JobTeam, JobTeam.job_id == Job.id)


def _ids_far_away(view: View, whole: List, *conditions: str) -> Select[str]:
    seen = visible(view.caller, access=Access.FORCED_SET)
    return ids_of_one(replace(whole, rows=whole.rows.where(seen, *job_filter.found(*conditions))))


_Current = aliased(JobVersion)


def _by_each(rows: Query[Job], parent: Attribute, **options: Any) -> Mapping[JobSortField, Listing[Job]]:
    return {name: Listing(rows, parent, by, Job.id, dress=_with_relations, **options) for name, by in SORTED_BY.items()}


OF_ORGANIZATIONS = _by_each(_reached, Job.organization_id)
MET = _by_each(_met, Job.organization_id, counted=_counted)
SOUGHT = _by_each(_met, Job.organization_id, counted=_counted, ids=nearby.ids, known=_jobs)
FAR_AWAY = _by_each(_gathered, Job.organization_id, counted=_counted, ids=_ids_far_away, known=_jobs)
OF_TEAMS = _by_each(_shared, JobTeam.team_id)
ALL_OF_TEAMS = _by_each(_shared, JobTeam.team_id, is_indexed=True, known=_jobs)
OF_CLUSTERS = _by_each(_met, Job.current_cluster_id, counted=_that, is_indexed=True, known=_jobs)
