"""Lists of jobs, each with its access path: how its rows are found. All paths of a list give the same rows.

Plans are generic, so the planner can't tell a caller with few jobs from one with many, or a rare condition from a
common one. The code chooses the access path, and the statement leaves the planner no other.

| path                | how rows are found                             | when, and why                                |
|---------------------|------------------------------------------------|----------------------------------------------|
| `BY_GRANTS`         | the caller's granted jobs, then sorted         | few grants: most jobs in order aren't theirs |
| `IN_ORDER`          | the index of the order, a probe of each job    | most jobs match: the page fills soon         |
| `NEARBY_THEN_INDEX` | the first 3,000 in order, else by conditions   | nobody knows how many match (see `nearby`)   |
| `FAR_PAGE`          | ids by the index, then the rows of the page    | a large offset: skipped rows aren't read     |
| `OF_TEAMS`          | all jobs of the teams, numbered by team        | a caller who sees some jobs of each team     |
| `ALL_OF_TEAMS`      | the index of each team's jobs                  | a caller who sees all: cut by the index      |
| `OF_CLUSTERS`       | the index of each cluster's jobs, a probe each | any caller: cut by the index                 |

Their counts have no order to follow, and choose for themselves (`_counted`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Select

from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.resolvers import job_filter
from mainsheet.resolvers.job import JOINS, select_jobs, with_relations
from mainsheet.resolvers.job_filter import JobFilter
from mainsheet.resolvers.job_list import nearby
from mainsheet.resolvers.job_list.reach import Reach
from mainsheet.resolvers.permissions import Access, sees_all_jobs, visible
from mainsheet.resolvers.sql.pagination.listing import Listing, Page, Paging
from mainsheet.resolvers.sql.pagination.slices import SortedRows, ids_of_one
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Attribute, Query, Statement, View, rows_of

REACH = Reach()  # decision 23
FAR = 1000  # the offset from which it is cheaper to read the index alone than to probe job by job


class JobSortField(StrEnum):
    JOB_KEY = "JOB_KEY"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


SORTED_BY: Mapping[JobSortField, Attribute] = {
    JobSortField.JOB_KEY: Job.job_key,
    JobSortField.CREATED_AT: Job.created_at,
    JobSortField.UPDATED_AT: Job.updated_at,
}

# Conditions that the index of the order has as well, or that most jobs meet: in order, a page fills soon.
FOUND_IN_ORDER: Mapping[JobSortField, set[str]] = {
    JobSortField.JOB_KEY: {"no_has_draft"},
    JobSortField.CREATED_AT: {"no_has_draft", "status", "has_schedule", "no_has_schedule"},
    JobSortField.UPDATED_AT: {"no_has_draft", "updated_since"},
}


@dataclass(frozen=True)
class JobListArguments:
    paging: Paging
    sort_by: JobSortField
    descending: bool
    filter: JobFilter


@batch(*JOINS, is_one_statement=True)  # `REACH` may read before, but only to choose the path
async def of_organizations(
    read: Read, organization_ids: Sequence[str], wanted: JobListArguments
) -> Mapping[str, Page[Job]]:
    return await _pages(await _access_path(read, wanted), read, organization_ids, wanted)


async def _access_path(read: Read, wanted: JobListArguments) -> Mapping[JobSortField, Listing[Job]]:
    """Choose the access path to the jobs of the organization."""
    if not sees_all_jobs(read.caller) and not await REACH.is_wide(read):
        return BY_GRANTS
    if wanted.paging.offset > FAR:
        return FAR_PAGE
    parameters = job_filter.parameters(wanted.filter, read.caller.organization_id)
    return IN_ORDER if parameters.keys() <= FOUND_IN_ORDER[wanted.sort_by] else NEARBY_THEN_INDEX


@batch(*JOINS)
async def of_teams(read: Read, team_ids: Sequence[str], wanted: JobListArguments) -> Mapping[str, Page[Job]]:
    """List each team's jobs that the caller sees."""
    return await _pages(ALL_OF_TEAMS if sees_all_jobs(read.caller) else OF_TEAMS, read, team_ids, wanted)


@batch(*JOINS)
async def of_clusters(read: Read, cluster_ids: Sequence[str], wanted: JobListArguments) -> Mapping[str, Page[Job]]:
    """List the jobs whose current version targets the cluster."""
    return await _pages(OF_CLUSTERS, read, cluster_ids, wanted)


async def _pages(
    listings: Mapping[JobSortField, Listing[Job]], read: Read, keys: Sequence[str], wanted: JobListArguments
) -> Mapping[str, Page[Job]]:
    parameters = job_filter.parameters(wanted.filter, read.caller.organization_id)
    listing = listings[wanted.sort_by]
    return await listing.pages(read, keys, wanted.paging, descending=wanted.descending, parameters=parameters)


def _visible(view: View, *conditions: str) -> Statement:
    """Select the visible jobs that meet the conditions, each with a parameter of its name."""
    return _with(view, Access.LOOKUP, *conditions)


@rows_of(Job)
def _by_grants(view: View, *conditions: str) -> Statement:
    return _with(view, Access.SET, *conditions)


@rows_of(Job)
def _in_order(view: View, *conditions: str) -> Statement:
    return _with(view, Access.FORCED_LOOKUP, *conditions)


@rows_of(Job)
def _in_set(view: View, *conditions: str) -> Statement:
    return _with(view, Access.FORCED_SET, *conditions)


def _counted(view: View, *conditions: str) -> Statement:
    """On SQLite begin with the caller's jobs, unless an index has only a few that meet the conditions."""
    is_by_caller = view.is_sqlite and not job_filter.NARROW.intersection(conditions)
    return _by_grants(view, *conditions) if is_by_caller else _in_set(view, *conditions)


def _with(view: View, access: Access, *conditions: str) -> Statement:
    return select_jobs(view).where(visible(view.caller, access=access), *job_filter.by_index(*conditions))


@rows_of(Job)
def _of_teams(view: View, *conditions: str) -> Statement:
    return _visible(view, *conditions).join(JobTeam, JobTeam.job_id == Job.id)


def _far_ids(view: View, whole: SortedRows, *conditions: str) -> Select[str]:
    seen = visible(view.caller, access=Access.FORCED_SET)
    return ids_of_one(replace(whole, rows=whole.rows.where(seen, *job_filter.by_index(*conditions))))


def _by_each(rows: Query[Job], parent: Attribute, **options: Any) -> Mapping[JobSortField, Listing[Job]]:
    return {name: Listing(rows, parent, by, Job.id, dress=with_relations, **options) for name, by in SORTED_BY.items()}


BY_GRANTS = _by_each(_by_grants, Job.organization_id)
IN_ORDER = _by_each(_in_order, Job.organization_id, counted=_counted)
NEARBY_THEN_INDEX = _by_each(_in_order, Job.organization_id, counted=_counted, ids=nearby.ids, known=select_jobs)
FAR_PAGE = _by_each(_in_set, Job.organization_id, counted=_counted, ids=_far_ids, known=select_jobs)
OF_TEAMS = _by_each(_of_teams, JobTeam.team_id)
ALL_OF_TEAMS = _by_each(_of_teams, JobTeam.team_id, is_indexed=True, known=select_jobs)
OF_CLUSTERS = _by_each(_in_order, Job.current_cluster_id, counted=_visible, is_indexed=True, known=select_jobs)
