"""Whether a member's teams reach many jobs: then a page fills soon when jobs are met in order, one by one.

Where they reach few, it is better to take these and to sort them: of jobs met in order nearly all would be others'.
The rows are the same either way, so what is remembered of a member may be out of date.
"""

import time
from typing import NamedTuple

from sqlalchemy import func, literal_column, select

from mainsheet.models.job_team import JobTeam
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

WIDE = 1000
REMEMBERED_SECONDS = 60
MOST = 10_000


class Reach:
    """What is known of each member, until when by the monotonic clock."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bool, float]] = {}

    async def is_wide(self, read: Read) -> bool:
        """Whether the caller's teams were granted so many jobs; asked of the database once in a while."""
        member_id, now = read.caller.member_id, time.monotonic()
        answer, until = self._known.get(member_id, (False, now))
        if until > now:
            return answer
        answer = any(row.grants >= WIDE for row in await read.rows(_grants, keys=[member_id]))
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[member_id] = answer, now + REMEMBERED_SECONDS
        return answer


class Grants(NamedTuple):
    grants: int


@rows_of(Grants, key="grants")
def _grants(_view: View) -> Statement:
    """Count no further than to what is wide."""
    rows: Statement = select(literal_column("1")).join_from(TeamMember, JobTeam, JobTeam.team_id == TeamMember.team_id)
    some = rows.where(among(TeamMember.member_id, KEYS)).limit(literal_column(str(WIDE))).subquery()
    return select(func.count().label("grants")).select_from(some)
