from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, select
from sqlalchemy.orm import aliased

from models.job import Job, JobStatus
from models.job_team import JobTeam
from models.job_version import JobVersion, VersionStatus
from resolvers.keys import among
from resolvers.pages import Listing, Page, Paging
from resolvers.permissions import visible
from resolvers.read import Read

COLUMNS = [column for column in Job.__table__.c if column.name != "search_text"]


class JobSortField(StrEnum):
    JOB_KEY = "JOB_KEY"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


SORTED_BY: Mapping[JobSortField, Any] = {
    JobSortField.JOB_KEY: Job.job_key,
    JobSortField.CREATED_AT: Job.created_at,
    JobSortField.UPDATED_AT: Job.updated_at,
}


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


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    return await read.keyed(select(*COLUMNS).where(among(Job.id, ids), visible(read.caller)))


async def of_cycles(read: Read, cycles: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Row[Any] | None]]:
    """Return the jobs along each cycle of ids, null where the caller can't see one."""
    found = await by_ids(read, list({job_id for cycle in cycles for job_id in cycle}))
    return {cycle: [found.get(job_id) for job_id in cycle] for cycle in cycles}


async def by_keys(read: Read, job_keys: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = select(*COLUMNS).where(among(Job.job_key, job_keys), visible(read.caller))
    return await read.keyed(rows, "job_key")


async def of_organizations(read: Read, organization_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page]:
    return await _pages(read, select(*COLUMNS), Job.organization_id, organization_ids, wanted)


async def of_teams(read: Read, team_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page]:
    rows = select(*COLUMNS).join(JobTeam, JobTeam.job_id == Job.id)
    return await _pages(read, rows, JobTeam.team_id, team_ids, wanted)


async def of_clusters(read: Read, cluster_ids: Sequence[str], wanted: JobList) -> Mapping[str, Page]:
    """List the jobs whose current version targets the cluster."""
    rows = select(*COLUMNS).join(JobVersion, _is_current())
    return await _pages(read, rows, JobVersion.cluster_id, cluster_ids, wanted)


async def _pages(
    read: Read, rows: Select[Any], parent: Any, keys: Sequence[str], wanted: JobList
) -> Mapping[str, Page]:
    rows = rows.where(visible(read.caller), *_conditions(wanted.filter))
    listing = Listing(rows, parent, SORTED_BY[wanted.sort_by], Job.id, wanted.descending)
    return await listing.pages(read, keys, wanted.paging)


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    asked = {name: getattr(wanted, name) for name in CONDITIONS}
    return [CONDITIONS[name](value) for name, value in asked.items() if value is not None]


def _is_current() -> ColumnElement[bool]:
    return (JobVersion.job_id == Job.id) & (JobVersion.number == Job.current_number)


def _version_that(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(_Version.job_id == Job.id, *conditions)


def _current_that(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return _version_that(_Version.number == Job.current_number, condition)


_Version = aliased(JobVersion)  # not the one that `of_clusters` joins
_Grant = aliased(JobTeam)

CONDITIONS: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "search": lambda text: Job.search_text.contains(text.casefold(), autoescape=True),
    "status": Job.status.in_,
    "teams": lambda ids: exists().where(_Grant.job_id == Job.id, among(_Grant.team_id, ids)),
    "clusters": lambda ids: _current_that(among(_Version.cluster_id, ids)),
    "has_draft": lambda wanted: _version_that(_Version.status == VersionStatus.DRAFT) == wanted,
    "has_schedule": lambda wanted: _current_that(_Version.cron.is_not(None)) == wanted,
    "created_by": lambda ids: among(Job.created_by_id, ids),
    "updated_since": lambda moment: Job.updated_at >= moment,
}
