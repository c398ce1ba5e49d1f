"""The statement that finds the ready runs for a claim. Its cost grows with the number of jobs that have ready runs.

It doesn't grow with the number of ready runs. A lane has the ready runs of one job on one cluster. An index gives one
lane after the other, without the other runs of each: a job with very many ready runs neither slows claims down nor
delays other jobs.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from mainsheet.models.clock import database_time
from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.models.roles import JobPermission
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.permissions import is_any, permitted
from mainsheet.resolvers.sql.array_param import TextArray, among, among_these
from mainsheet.resolvers.sql.statement import Expression

CONSIDERED_LANES = 1000  # the lanes whose first run is the oldest
CONSIDERED = 4  # times the limit: candidates, of which other transactions may have locked some
CLUSTER_IDS = bindparam("cluster_ids", type_=TextArray())
LIMIT = bindparam("limit", type_=Integer())
MOST = bindparam("most", type_=Integer())


@lru_cache(256)  # to build the statement takes longer than to run it
def candidates(caller: Caller) -> Select[str, str]:
    """Select the ids of ready runs and of their jobs, the first run of each job before the second of any."""
    turns = _turns(_oldest(caller))
    in_turn = (turns.c.turn, turns.c.available_at, turns.c.id)
    return select(turns.c.id, turns.c.job_id).order_by(*in_turn).limit(MOST)


def parameters(cluster_ids: Sequence[str], limit: int) -> dict[str, object]:
    """Return the parameters of `candidates`."""
    return {CLUSTER_IDS.key: cluster_ids, LIMIT.key: limit, MOST.key: limit * CONSIDERED}


def lockable(run_ids: Sequence[str]) -> Select[JobRun]:
    """Select those of the runs that are still ready, locked with their jobs, and pass over what others have locked.

    Other commands lock the job before its run: a claim that waited for the job would be in a deadlock with them.
    """
    # Only ready runs have this time. A condition on the status would let PostgreSQL scan the index of all ready runs.
    is_its = among(JobRun.id, run_ids) & (JobRun.available_at <= _now())
    runs = select(JobRun).join(Job, Job.id == JobRun.job_id).where(is_its)
    return runs.with_for_update(of=[JobRun, Job], skip_locked=True, key_share=True)


def _turns(oldest: CTE) -> FromClause:
    """Select the first runs of each lane with their turns: enough for the limit, also if there are few lanes."""
    depth = case((select(func.count()).select_from(oldest).scalar_subquery() < LIMIT, LIMIT), else_=1)
    first = aliased(JobRun)
    is_first = among_these(first.id, _in_order(select(JobRun.id), oldest).limit(depth))
    order = (first.available_at, first.id)
    turn = func.row_number().over(partition_by=first.job_id, order_by=order).label("turn")
    turns = select(first.id, first.job_id, first.available_at, turn).select_from(oldest).join(first, is_first)
    return turns.subquery("turns")


def _oldest(caller: Caller) -> CTE:
    """Select the lanes of jobs that the caller may run, with the time since when their first run is available."""
    lanes = _lanes()
    since = _in_order(select(JobRun.available_at), lanes).limit(1).scalar_subquery()
    heads = select(lanes, since.label("since")).where(lanes.c.job_id.is_not(None)).subquery("heads")
    job = select(Job.id).where(Job.id == heads.c.job_id, permitted(caller, JobPermission.RUN)).correlate(heads)
    due = select(heads).where(heads.c.since.is_not(None), is_any(job))
    return due.order_by(heads.c.since, heads.c.job_id).limit(CONSIDERED_LANES).cte("oldest")


def _lanes() -> CTE:
    """Select the jobs of each cluster that have ready runs, and a null after the last one."""
    first = select(Cluster.id.label("cluster_id"), _next_job(Cluster.id, literal("")).label("job_id"))
    lanes = first.where(among(Cluster.id, CLUSTER_IDS)).cte("lanes", recursive=True)
    following = select(lanes.c.cluster_id, _next_job(lanes.c.cluster_id, lanes.c.job_id))
    return lanes.union_all(following.where(lanes.c.job_id.is_not(None)))


def _next_job(cluster_id: Expression, job_id: Expression) -> ScalarSelect[str]:
    run = aliased(JobRun)
    own = and_(is_ready(run), run.cluster_id == cluster_id, run.job_id > job_id)
    return select(run.job_id).where(own).order_by(run.job_id).limit(1).scalar_subquery()


def _in_order(columns: Select[str], lanes: FromClause) -> Select[str]:
    """Select from the runs of a lane that are available now, the oldest first."""
    own = and_(is_ready(JobRun), JobRun.cluster_id == lanes.c.cluster_id, JobRun.job_id == lanes.c.job_id)
    return columns.where(own, JobRun.available_at <= _now()).order_by(JobRun.available_at, JobRun.id).correlate(lanes)


def _now() -> ScalarSelect[datetime]:
    """Return the time as a subquery, which is run once. A call of the volatile function isn't looked up in an index."""
    return select(database_time()).scalar_subquery()


def is_ready(run: type[JobRun]) -> ColumnElement[bool]:
    return run.status == literal_column(f"'{JobRunStatus.READY}'")  # as in the condition of the index
