"""Lists of jobs, each with its access path: how its rows are found. All paths of a list give the same rows.

Plans are generic, so the planner can't distinguish a caller with few jobs from one with many, or a rare condition from
a common one. The code chooses the access path, and the statement forces the planner to use it.

| path              | how rows are found                                | when, and why                             |
|-------------------|---------------------------------------------------|-------------------------------------------|
| `OWN_TEAMS`       | merge the first jobs of each team of the caller   | by creation, no condition, small offset   |
| `BY_GRANTS`       | sort the caller's granted jobs                    | few grants: most jobs aren't the caller's |
| `BY_CONDITION`    | look up the jobs that the filter names, and sort  | at most one job for each id or key        |
| `IN_ORDER`        | scan the index of the order, check each job       | most jobs match: a page fills soon        |
| `SCAN_THEN_INDEX` | scan the first 3,000, else the conditions' index  | the number of matches is unknown          |
| `SCAN_THEN_OWN`   | scan the first 3,000, else sort the granted jobs  | fewer than 10,000 grants, or few jobs     |
| `OWN_IN_ORDER`    | sort the caller's grants, check each job          | by creation, few jobs are the caller's    |
| `FAR_PAGE`        | read ids from the index, then the page by id      | a large offset: skipped rows aren't read  |
| `TEAMS_BY_GRANTS` | number the caller's granted jobs in each team     | few grants: most jobs aren't the caller's |
| `TEAMS_IN_ORDER`  | scan the index of each team's grants, check each  | all jobs are seen, or by creation         |
| `TEAMS_BY_SET`    | the same, against one set of the caller's grants  | by creation, fewer than 10,000 grants     |
| `OF_TEAMS`        | number all jobs of each team                      | other orders, and conditions              |
| `OF_CLUSTERS`     | scan the index of each cluster's jobs, check each | any caller                                |
| `OF_CREATORS`     | look up each actor's jobs, check each             | any caller                                |

The jobs of saved queries have access paths of their own (`saved_queries.py`). A count needs no order, so it has one of
its own: `OWN_JOBS` if few jobs are the caller's, which reads each of these, else `_rows_to_count`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select

from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job import JOINS, select_jobs, with_relations
from mainsheet.resolvers.job_filter import JobFilter
from mainsheet.resolvers.job_list import own_jobs, own_teams
from mainsheet.resolvers.job_list.bounded_counts import GRANT_COUNTS, LARGE_SET, MANY, sees_few_jobs
from mainsheet.resolvers.job_list.own_jobs import list_to_count, looked_up
from mainsheet.resolvers.permissions import Access, is_granted, sees_all_jobs, visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList, Total, counts_of
from mainsheet.resolvers.sql.pagination.scan_then_index import ScanThenIndex
from mainsheet.resolvers.sql.pagination.slices import SortedRows, ids_of_one
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Attribute, Query, Statement, View, rows_of

FAR_OFFSET = 1000  # from here on, reading ids from the index is cheaper than checking each job


class JobSortField(StrEnum):
    JOB_KEY = "JOB_KEY"
    NAME = "NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    LATEST_RUN_AT = "LATEST_RUN_AT"


SORTED_BY: Mapping[JobSortField, Attribute] = {
    JobSortField.JOB_KEY: Job.job_key,
    JobSortField.NAME: Job.name,
    JobSortField.CREATED_AT: Job.created_at,
    JobSortField.UPDATED_AT: Job.updated_at,
    JobSortField.LATEST_RUN_AT: Job.latest_run_at,
}

# Conditions that the index of the order contains or that most jobs match: a scan in order soon fills a page.
MATCHED_IN_ORDER: Mapping[JobSortField, set[str]] = {
    JobSortField.JOB_KEY: {"no_has_draft"},
    JobSortField.NAME: {"no_has_draft"},
    JobSortField.CREATED_AT: {"no_has_draft", "statuses", "has_schedule", "no_has_schedule", "created_since"},
    JobSortField.UPDATED_AT: {"no_has_draft", "updated_since"},
    JobSortField.LATEST_RUN_AT: {"no_has_draft"},
}


@dataclass(frozen=True)
class JobListArguments:
    page: PageArguments
    sort_by: JobSortField
    filter: JobFilter


@batch(*JOINS, is_one_statement=True)  # counts may be read first, but only to choose the access path
async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: JobListArguments
) -> Mapping[str, Page[Job]]:
    return await pages_of(read, organization_ids, arguments, await _access_path(read, arguments))


async def _access_path(read: Read, arguments: JobListArguments) -> Mapping[JobSortField, PagedList[Job]]:
    """Choose the access path to the jobs of the organization."""
    parameters = job_filter.parameters(arguments.filter, read.caller.organization_id)
    if job_filter.ONE_JOB_EACH & parameters.keys():
        return BY_CONDITION
    if not sees_all_jobs(read.caller) and (path := await _access_path_by_grants(read, arguments, parameters)):
        return path
    if arguments.page.offset > FAR_OFFSET:
        return FAR_PAGE
    return IN_ORDER if parameters.keys() <= MATCHED_IN_ORDER[arguments.sort_by] else SCAN_THEN_INDEX


async def _access_path_by_grants(
    read: Read, arguments: JobListArguments, parameters: Mapping[str, object]
) -> Mapping[JobSortField, PagedList[Job]] | None:
    """Choose an access path that reads the caller's grants. None if all jobs of the organization are better checked."""
    is_near = arguments.page.offset <= FAR_OFFSET
    if is_near and _is_by_creation(arguments, parameters):
        return OWN_TEAMS
    grants = await GRANT_COUNTS.of(read, read.caller.actor_id)
    if grants < MANY:
        return BY_GRANTS
    if not is_near or not job_filter.NARROW.isdisjoint(parameters):
        return None
    if "no_has_schedule" not in parameters and await sees_few_jobs(read):  # its index finds the few matches in order
        return OWN_IN_ORDER
    return SCAN_THEN_OWN if grants < LARGE_SET else None


def _is_by_creation(arguments: JobListArguments, parameters: Mapping[str, object]) -> bool:
    """Whether the list has the order of the grants' index, and no condition."""
    return arguments.sort_by is JobSortField.CREATED_AT and not parameters


@batch(*JOINS)
async def of_teams(read: Read, team_ids: Sequence[str], arguments: JobListArguments) -> Mapping[str, Page[Job]]:
    """List each team's jobs that the caller sees."""
    return await pages_of(read, team_ids, arguments, await _access_path_of_teams(read, arguments))


async def _access_path_of_teams(read: Read, arguments: JobListArguments) -> Mapping[JobSortField, PagedList[Job]]:
    if sees_all_jobs(read.caller):
        return TEAMS_IN_ORDER
    grants = await GRANT_COUNTS.of(read, read.caller.actor_id)
    if grants < MANY:
        return TEAMS_BY_GRANTS
    parameters = job_filter.parameters(arguments.filter, read.caller.organization_id)
    if not _is_by_creation(arguments, parameters):
        return OF_TEAMS
    return TEAMS_BY_SET if grants < LARGE_SET else TEAMS_IN_ORDER


@batch(*JOINS)
async def of_clusters(read: Read, cluster_ids: Sequence[str], arguments: JobListArguments) -> Mapping[str, Page[Job]]:
    """List the jobs whose current version targets the cluster."""
    return await pages_of(read, cluster_ids, arguments, OF_CLUSTERS)


async def counts_of_clusters(read: Read, cluster_ids: Sequence[str]) -> Mapping[str, int]:
    """Count the jobs whose current version targets each cluster, as far as the caller sees them."""
    counts = Query(OF_CLUSTERS[JobSortField.CREATED_AT].counts, Total)
    found = {row.parent_key: row.total for row in await read.rows(counts, keys=cluster_ids)}
    return {cluster_id: found.get(cluster_id, 0) for cluster_id in cluster_ids}


@batch(*JOINS)
async def of_creators(read: Read, actor_ids: Sequence[str], arguments: JobListArguments) -> Mapping[str, Page[Job]]:
    """List the jobs that each actor created, as far as the caller sees them."""
    return await pages_of(read, actor_ids, arguments, OF_CREATORS)


async def pages_of(
    read: Read, keys: Sequence[str], arguments: JobListArguments, path: Mapping[JobSortField, PagedList[Job]]
) -> Mapping[str, Page[Job]]:
    parameters = job_filter.parameters(arguments.filter, read.caller.organization_id)
    jobs = path[arguments.sort_by]
    return await jobs.pages(read, keys, arguments.page, parameters=parameters)


def _visible(view: View, *conditions: str) -> Statement:
    """Select the visible jobs that match the conditions. Each condition has a parameter of its name."""
    return _selected(view, Access.LOOKUP, *conditions)


@rows_of(Job)
def _by_condition(view: View, *conditions: str) -> Statement:
    return _visible(view, *conditions)


@rows_of(Job)
def _by_grants(view: View, *conditions: str) -> Statement:
    return _selected(view, Access.SET, *conditions)


@rows_of(Job)
def _in_order(view: View, *conditions: str) -> Statement:
    return _selected(view, Access.FORCED_LOOKUP, *conditions)


@rows_of(Job)
def _in_set(view: View, *conditions: str) -> Statement:
    return _selected(view, Access.FORCED_SET, *conditions)


def _rows_to_count(view: View, *conditions: str) -> Statement:
    """On SQLite, start with the caller's jobs, unless a condition has an index of its own."""
    starts_with_grants = view.is_sqlite and not job_filter.SELECTIVE.intersection(conditions)
    return _by_grants(view, *conditions) if starts_with_grants else _in_set(view, *conditions)


def _selected(view: View, access: Access, *conditions: str) -> Statement:
    return select_jobs(view).where(visible(view.caller, access=access), *job_filter.by_index(*conditions))


@rows_of(Job)
def _of_teams(view: View, *conditions: str) -> Statement:
    return _visible(view, *conditions).join(JobTeam, JobTeam.job_id == Job.id)


@rows_of(Job)
def _granted_in_teams(view: View, *conditions: str) -> Statement:
    jobs = _own_jobs(view).where(*job_filter.by_row(Job, *conditions))
    return jobs.join(own_teams.Granted, own_teams.Granted.job_id == Job.id)


@rows_of(Job)
def _in_teams(view: View, *conditions: str) -> Statement:
    return _checked_grants(view, Access.FORCED_LOOKUP, *conditions)


@rows_of(Job)
def _in_teams_by_set(view: View, *conditions: str) -> Statement:
    return _checked_grants(view, Access.FORCED_SET, *conditions)


def _checked_grants(view: View, access: Access, *conditions: str) -> Statement:
    """Check the grants of each team in the order of their index, before the jobs are read."""
    jobs = _own_jobs(view).join(JobTeam, JobTeam.job_id == Job.id).where(*job_filter.by_index(*conditions))
    if sees_all_jobs(view.caller):
        return jobs
    return jobs.where(is_granted(view.caller, JobTeam, JobTeam.job_id, access))


def _counts_of_all(view: View) -> Statement:
    """Count the jobs that the caller sees, without a condition."""
    if not sees_all_jobs(view.caller):
        return own_teams.count(view)
    return counts_of(_visible(view).where(among(Job.organization_id, KEYS)), Job.organization_id)


def _own_jobs(view: View) -> Statement:
    return select_jobs(view).where(Job.organization_id == view.caller.organization_id)


def _far_ids(view: View, all_jobs: SortedRows, *conditions: str) -> Select[str]:
    is_visible = visible(view.caller, access=Access.FORCED_SET)
    return ids_of_one(replace(all_jobs, rows=all_jobs.rows.where(is_visible, *job_filter.by_index(*conditions))))


def by_sort_field(rows: Query[Job], parent: Attribute, **options: Any) -> Mapping[JobSortField, PagedList[Job]]:
    return {name: PagedList(rows, parent, by, Job.id, join=with_relations, **options) for name, by in SORTED_BY.items()}


def _in_grants_order(paths: Mapping[JobSortField, PagedList[Job]]) -> Mapping[JobSortField, PagedList[Job]]:
    """Let the list by creation use the index of the grants, which has this order."""
    by_creation = replace(paths[JobSortField.CREATED_AT], indexed=(JobTeam.job_created_at, JobTeam.job_id))
    return {**paths, JobSortField.CREATED_AT: by_creation}


def _visible_row(view: View, job: type[Job]) -> ColumnElement[bool]:
    return visible(view.caller, job, Access.FORCED_LOOKUP)


MATCHES = ScanThenIndex(Job, job_filter.by_index, job_filter.by_row, job_filter.IMPLY_ORGANIZATION, _visible_row)
OF_ORGANIZATION = {"rows_to_count": _rows_to_count, "counted_by": _counts_of_all, "list_to_count": list_to_count}
OWN_TEAMS = by_sort_field(
    _in_order, Job.organization_id, page_ids=own_teams.page_ids, rows_by_id=_own_jobs, **OF_ORGANIZATION
)
BY_GRANTS = by_sort_field(_by_grants, Job.organization_id, counted_by=_counts_of_all)
BY_CONDITION = by_sort_field(_by_condition, Job.organization_id)
IN_ORDER = by_sort_field(_in_order, Job.organization_id, **OF_ORGANIZATION)
SCAN_THEN_INDEX = by_sort_field(
    _in_order, Job.organization_id, page_ids=MATCHES.page_ids, rows_by_id=select_jobs, **OF_ORGANIZATION
)
SCAN_THEN_OWN = by_sort_field(
    _in_order,
    Job.organization_id,
    page_ids=replace(MATCHES, by_index=looked_up).page_ids,
    rows_by_id=select_jobs,
    **OF_ORGANIZATION,
)
OWN_IN_ORDER = {
    **SCAN_THEN_OWN,
    JobSortField.CREATED_AT: replace(SCAN_THEN_OWN[JobSortField.CREATED_AT], page_ids=own_jobs.page_ids),
}
FAR_PAGE = by_sort_field(_in_set, Job.organization_id, page_ids=_far_ids, rows_by_id=select_jobs, **OF_ORGANIZATION)
OF_TEAMS = by_sort_field(_of_teams, JobTeam.team_id)
TEAMS_BY_GRANTS = by_sort_field(_granted_in_teams, own_teams.Granted.team_id)
IN_TEAMS = {"rows_to_count": _of_teams, "is_indexed": True, "rows_by_id": select_jobs}
TEAMS_IN_ORDER = _in_grants_order(by_sort_field(_in_teams, JobTeam.team_id, **IN_TEAMS))
TEAMS_BY_SET = _in_grants_order(by_sort_field(_in_teams_by_set, JobTeam.team_id, **IN_TEAMS))
OF_CLUSTERS = by_sort_field(
    _in_order, Job.current_cluster_id, rows_to_count=_in_set, is_indexed=True, rows_by_id=select_jobs
)
OF_CREATORS = by_sort_field(
    _in_order, Job.created_by_id, rows_to_count=_visible, is_indexed=True, rows_by_id=select_jobs
)
