"""Whether a member's teams have many grants: the access path of the member's list depends on it (decision 23).

All access paths give the same rows, so a remembered answer may be out of date.
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
    """Remembers the answer for each member, until a time of the monotonic clock."""

    def __init__(self) -> None:
        self._remembered: dict[str, tuple[bool, float]] = {}

    async def is_wide(self, read: Read) -> bool:
        """Whether the caller's teams have `WIDE` grants or more; counted again after `REMEMBERED_SECONDS`."""
        member_id, now = read.caller.member_id, time.monotonic()
        answer, until = self._remembered.get(member_id, (False, now))
        if until > now:
            return answer
        answer = any(row.grants >= WIDE for row in await read.rows(_grants, keys=[member_id]))
        if len(self._remembered) >= MOST:
            self._remembered.clear()
        self._remembered[member_id] = answer, now + REMEMBERED_SECONDS
        return answer


class Grants(NamedTuple):
    grants: int


@rows_of(Grants, key="grants")
def _grants(_view: View) -> Statement:
    """Count up to `WIDE`."""
    rows: Statement = select(literal_column("1")).join_from(TeamMember, JobTeam, JobTeam.team_id == TeamMember.team_id)
    some = rows.where(among(TeamMember.member_id, KEYS)).limit(literal_column(str(WIDE))).subquery()
    return select(func.count().label("grants")).select_from(some)
