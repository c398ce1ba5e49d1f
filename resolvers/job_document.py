"""Jobs as documents: with names and keys in place of ids, so that they fit any server."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import and_, select

from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job, JobStatus
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.source import SavedQueries
from mainsheet.models.team import Team
from mainsheet.resolvers import job_tag
from mainsheet.resolvers.job_config import configs
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of


class Described(NamedTuple):
    id: str
    job_key: str
    name: str
    description: str | None
    status: JobStatus
    version_id: str


class TeamOfJob(NamedTuple):
    job_id: str
    name: str


class Named(NamedTuple):
    id: str
    name: str


@dataclass(frozen=True)
class JobDocument:
    """`names` has the name or key of each object that the configuration refers to, unless it is hidden or deleted."""

    job: Described
    tags: Sequence[str]
    teams: Sequence[str]
    config: JobConfig
    names: Mapping[str, str]


async def of_jobs(read: Read, job_ids: Sequence[str]) -> Mapping[str, JobDocument]:
    jobs = await read.rows(_described, keys=job_ids)
    tags, teams = await job_tag.of_jobs(read, job_ids), await read.grouped(_teams, job_ids)
    found = await configs(read, [each.version_id for each in jobs])
    names = await _names(read, list(found.values()))
    return {
        each.id: JobDocument(each, tags[each.id], [team.name for team in teams[each.id]], found[each.version_id], names)
        for each in jobs
    }


async def _names(read: Read, used: Sequence[JobConfig]) -> Mapping[str, str]:
    cluster_ids = _unique(each.cluster_id for each in used)
    sources = [each.source for each in used]
    query_ids = _unique(id_ for each in sources if isinstance(each, SavedQueries) for id_ in each.query_ids)
    job_ids = _unique(dependency.job_id for each in used for dependency in each.dependencies)
    rows = [
        *await read.rows(_clusters, keys=cluster_ids),
        *(await read.rows(_queries, keys=query_ids) if query_ids else ()),
        *(await read.rows(_keys, keys=job_ids) if job_ids else ()),
    ]
    return {each.id: each.name for each in rows}


def _unique(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))


@rows_of(Described)
def _described(_view: View) -> Statement:
    current = and_(JobVersion.job_id == Job.id, JobVersion.number == Job.current_number)
    columns = (Job.id, Job.job_key, Job.name, Job.description, Job.status, JobVersion.id.label("version_id"))
    return select(*columns).join(JobVersion, current).where(among(Job.id, KEYS))


@rows_of(TeamOfJob, key="job_id")
def _teams(_view: View) -> Statement:
    return (
        select(JobTeam.job_id, Team.name)
        .join(Team, Team.id == JobTeam.team_id)
        .where(among(JobTeam.job_id, KEYS))
        .order_by(JobTeam.job_id, Team.name)
    )


@rows_of(Named)
def _clusters(_view: View) -> Statement:
    return select(Cluster.id, Cluster.name).where(among(Cluster.id, KEYS))


@rows_of(Named)
def _queries(_view: View) -> Statement:
    return select(SavedQuery.id, SavedQuery.name).where(among(SavedQuery.id, KEYS))


@rows_of(Named)
def _keys(view: View) -> Statement:
    return select(Job.id, Job.job_key.label("name")).where(among(Job.id, KEYS), visible(view.caller))
