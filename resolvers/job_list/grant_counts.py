"""How many grants a member's teams have: the access paths of the member's lists depend on it (decision 23).

All access paths give the same rows, so a cached answer may be out of date.
"""

import time
from typing import NamedTuple

from sqlalchemy import func, literal_column, select

from mainsheet.models.job_team import JobTeam
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

MANY = 1000  # up to here, all of the caller's jobs are sorted for each page
LARGE_SET = 10_000  # up to here, all of the caller's grants are read for each page
CACHE_SECONDS = 60
MAX_ENTRIES = 10_000


class GrantCounts:
    """Caches for each member the number of grants, with the time on the monotonic clock when it expires."""

    def __init__(self) -> None:
        self._cache: dict[str, tuple[int, float]] = {}

    async def of_caller(self, read: Read) -> int:
        """Return how many grants the caller's teams have, up to `LARGE_SET`. Counted again after `CACHE_SECONDS`."""
        actor_id, now = read.caller.actor_id, time.monotonic()
        answer, expires_at = self._cache.get(actor_id, (0, now))
        if expires_at > now:
            return answer
        answer = sum(row.grants for row in await read.rows(_grants, keys=[actor_id]))
        if len(self._cache) >= MAX_ENTRIES:
            self._cache.clear()
        self._cache[actor_id] = answer, now + CACHE_SECONDS
        return answer


class Grants(NamedTuple):
    grants: int


@rows_of(Grants, key="grants")
def _grants(_view: View) -> Statement:
    """Count up to `LARGE_SET`."""
    rows: Statement = select(literal_column("1")).join_from(TeamMember, JobTeam, JobTeam.team_id == TeamMember.team_id)
    some = rows.where(among(TeamMember.actor_id, KEYS)).limit(literal_column(str(LARGE_SET))).subquery()
    return select(func.count().label("grants")).select_from(some)
