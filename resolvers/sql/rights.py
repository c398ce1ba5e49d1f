"""Which rights of its caller an operation uses: callers for whom these are equal get equal results (decision 37).

A statement learns of its caller by two parameters only. `actor_id` selects the caller's roles in teams, and `own_id`
what belongs to the caller alone. So the parameters of a compiled statement show which rights its rows depend on.
"""

from collections.abc import Collection
from enum import IntEnum

from sqlalchemy import BindParameter, String, bindparam

ACTOR_ID = "actor_id"
OWN_ID = "own_id"


class Extent(IntEnum):
    """What the rows of statements depend on, besides the caller's organization, its role there and its scopes."""

    NOTHING = 0
    TEAMS = 1  # which teams with access to a certain job the caller belongs to
    ROLES = 2  # and the caller's roles in them
    ALL_ROLES = 3  # the caller's roles in all teams
    IDENTITY = 4  # who the caller is

    @classmethod
    def of(cls, sql: str, parameters: Collection[str]) -> "Extent":
        """Return the extent of a compiled statement, if it is about a certain job."""
        if OWN_ID in parameters:
            return cls.IDENTITY
        if ACTOR_ID not in parameters:
            return cls.NOTHING
        return cls.ROLES if ".role" in sql else cls.TEAMS


class RightsUsed:
    """Notes the largest extent of an operation's statements."""

    __slots__ = ("_own", "extent")

    def __init__(self, event_id: str, job_id: str | None) -> None:
        """Statements about this job, or about this event of it, need only the caller's roles in the job's teams."""
        self._own = frozenset({event_id, job_id})
        self.extent = Extent.NOTHING

    def note(self, extent: Extent, about: frozenset[str] | None) -> None:
        """Note the extent of a statement that is about these jobs or events. None is about any."""
        if extent in (Extent.TEAMS, Extent.ROLES) and (about is None or not about <= self._own):
            extent = Extent.ALL_ROLES
        self.extent = max(self.extent, extent)


def id_parameter(name: str) -> BindParameter[str]:
    return bindparam(name, type_=String(20))
