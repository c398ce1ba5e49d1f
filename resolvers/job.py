from collections.abc import Mapping, Sequence

from sqlalchemy import FromClause, func, select
from sqlalchemy.orm import aliased

from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job
from mainsheet.models.job_listing import JobListing
from mainsheet.models.job_version import JobVersion
from mainsheet.resolvers import job_run
from mainsheet.resolvers.job_version import columns_of
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import OPTIONAL, Expression, Statement, View, rows_of, within

FOR_LISTS = set(JobListing.__annotations__)
ACTIVATED_AT = func.coalesce(Job.activated_at, Job.created_at).label("activated_at")
COLUMNS: list[Expression] = [
    ACTIVATED_AT if column.name == "activated_at" else column
    for column in Job.__table__.c
    if column.name not in FOR_LISTS
]


JOINS = ("current_version", "current_version.cluster", "latest_run")


@batch(*JOINS, is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Job]:
    return await read.about(ids).keyed(_by_ids, keys=ids)


async def of_cycles(read: Read, cycles: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Job | None]]:
    """Return the jobs along each cycle of ids, null where the caller can't see one."""
    found = await by_ids(read, list({job_id for cycle in cycles for job_id in cycle}))
    return {cycle: [found.get(job_id) for job_id in cycle] for cycle in cycles}


async def of_sets(read: Read, sets: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Job]]:
    """Return the jobs of each tuple of ids, without those that the caller can't see."""
    found = await by_ids(read, list({job_id for ids in sets for job_id in ids}))
    return {ids: [found[job_id] for job_id in ids if job_id in found] for ids in sets}


@batch(*JOINS, is_one_statement=True)
async def by_keys(read: Read, job_keys: Sequence[str]) -> Mapping[str, Job]:
    return await read.keyed(_by_keys, keys=job_keys)


def select_jobs(view: View, *needed: str) -> Statement:
    """Select the columns of jobs that the view wants, and those that `with_relations` needs for its joins."""
    joined_by = ("current_number",) if view.joins else ()
    return select(*view.only(COLUMNS, *needed, *joined_by))


def _joined(view: View, jobs: Statement) -> Statement:
    return with_relations(view, jobs.subquery("page")) if view.joins else jobs


def with_relations(view: View, jobs: FromClause) -> Statement:
    """Join the wanted ones of the current version, its cluster and the latest run. A job has at most one of each."""
    source, columns = jobs, [*jobs.c]
    if version := view.joined("current_version"):
        is_current = (_Current.job_id == jobs.c.id) & (_Current.number == jobs.c.current_number)
        own = version.only(columns_of(_Current))
        source, columns = source.join(_Current, is_current), columns + within("current_version", own)
        if cluster := version.joined("cluster"):
            source = source.join(Cluster, Cluster.id == _Current.cluster_id)
            columns += within("current_version.cluster", cluster.only(Cluster.__table__.c))
    if run := view.joined("latest_run"):
        latest, is_its = job_run.newest(run, jobs.c.id)
        source = source.outerjoin(latest, is_its)
        columns += within(f"latest_run{OPTIONAL}", run.only(latest.c))
    return select(*columns).select_from(source)


@rows_of(Job)
def _by_ids(view: View) -> Statement:
    return _joined(view, select_jobs(view).where(among(Job.id, KEYS), visible(view.caller)))


@rows_of(Job, key="job_key")
def _by_keys(view: View) -> Statement:
    return _joined(view, select_jobs(view, "job_key").where(among(Job.job_key, KEYS), visible(view.caller)))


_Current = aliased(JobVersion)
