"""How many grants, jobs and uses there are: access paths depend on these numbers (decision 23).

All access paths give the same rows, so a cached answer may be out of date.
"""

import time
from typing import NamedTuple

from sqlalchemy import func, literal_column, select

from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersionQuery
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.permissions import sees_all_jobs
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Query, Statement, View, rows_of

MANY = 1000  # up to here, all of the caller's jobs are sorted for each page
MANY_USES = 3000  # up to here, all versions that run a saved query are read for each page of its jobs
LARGE_SET = 10_000  # up to here, all of the caller's grants are read for each page
MAX_GRANTS = 25_000  # up to here, all of the caller's jobs may be looked up for a page or a count
JOBS_FOR_GRANT = 16  # if there are more, looking up the caller's jobs is faster than checking all jobs
MAX_JOBS = MAX_GRANTS * JOBS_FOR_GRANT  # more needn't be counted
CACHE_SECONDS = 60
MAX_ENTRIES = 10_000


class Counted(NamedTuple):
    rows: int


class BoundedCounts:
    """Caches for each key the number of its rows, with the time on the monotonic clock when it expires."""

    def __init__(self, counted: Query[Counted]) -> None:
        self._counted = counted
        self._cache: dict[str, tuple[int, float]] = {}

    async def of(self, read: Read, key: str) -> int:
        """Return the number of rows, up to the limit of its statement. They are counted again after `CACHE_SECONDS`."""
        now = time.monotonic()
        if key in self._cache:
            answer, expires_at = self._cache[key]
            if expires_at > now:
                return answer
            self._cache[key] = answer, now + CACHE_SECONDS  # others go on with it while this caller counts
        answer = sum(row.rows for row in await read.rows(self._counted, keys=[key]))
        if len(self._cache) >= MAX_ENTRIES:
            self._cache.clear()
        self._cache[key] = answer, now + CACHE_SECONDS
        return answer


@rows_of(Counted, key="rows")
def grants(_view: View) -> Statement:
    """Count the grants of an actor's teams."""
    rows: Statement = select(literal_column("1")).join_from(TeamMember, JobTeam, JobTeam.team_id == TeamMember.team_id)
    return _count(rows.where(among(TeamMember.actor_id, KEYS)), MAX_GRANTS)


@rows_of(Counted, key="rows")
def uses(_view: View) -> Statement:
    """Count the versions that run a saved query."""
    rows: Statement = select(literal_column("1")).select_from(JobVersionQuery)
    return _count(rows.where(among(JobVersionQuery.query_id, KEYS)), MANY_USES)


@rows_of(Counted, key="rows")
def jobs(_view: View) -> Statement:
    """Count the jobs of an organization."""
    rows: Statement = select(literal_column("1")).select_from(Job)
    return _count(rows.where(among(Job.organization_id, KEYS)), MAX_JOBS)


def _count(rows: Statement, limit: int) -> Statement:
    some = rows.limit(literal_column(str(limit))).subquery()
    return select(func.count().label("rows")).select_from(some)


GRANT_COUNTS = BoundedCounts(grants)
USE_COUNTS = BoundedCounts(uses)
JOB_COUNTS = BoundedCounts(jobs)


async def sees_few_jobs(read: Read) -> bool:
    """Return whether looking up the caller's jobs is faster than checking all jobs of the organization."""
    if sees_all_jobs(read.caller):
        return False
    grants = await GRANT_COUNTS.of(read, read.caller.actor_id)
    return grants * JOBS_FOR_GRANT < await JOB_COUNTS.of(read, read.caller.organization_id)
