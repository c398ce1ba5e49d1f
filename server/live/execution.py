"""Executions of a subscription's operation for one event, whose results callers with the same rights share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from mainsheet.models.event import Event
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event_visibility import NO_RIGHTS, TeamRights, team_rights
from mainsheet.resolvers.sql.rights import Extent, RightsUsed
from mainsheet.resolvers.subscription import Delivery
from mainsheet.server.operations.execution import Closable


@dataclass(eq=False, slots=True)
class Execution:
    """An execution as `caller`, for those of the actors who have the caller's rights while it runs.

    `rights` are those that all of the actors had a moment ago, as far as the results depend on them: to this `extent`.
    """

    event: Event
    caller: Caller
    actor_ids: Sequence[str]
    extent: Extent = Extent.TEAMS
    rights: TeamRights = NO_RIGHTS
    used: RightsUsed = field(init=False)
    is_outdated: bool = False  # the caller's rights were changed before it began
    _equal: Collection[str] = ()

    def __post_init__(self) -> None:
        self.used = RightsUsed(self.event.id, self.event.job_id)

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.event.id)

    @property
    def is_shared(self) -> bool:
        return len(self.actor_ids) > 1

    async def begin(self, context: Closable) -> None:
        """Read, in the snapshot of the execution, which actors have the caller's rights."""
        read = context.note_rights(self.used)
        found = await team_rights(read, self.event.id, self.actor_ids, self.extent)
        self.is_outdated = found.get(self.caller.actor_id, NO_RIGHTS) != self.rights
        if not self.is_outdated:
            self._equal = [each for each in self.actor_ids if found.get(each, NO_RIGHTS) == self.rights]

    @property
    def needs(self) -> Extent:
        """The extent of the rights on which the result depends."""
        return self.used.extent if self._equal else self.extent

    @property
    def receivers(self) -> Collection[str]:
        """The actors whose result this is. There are none if it is outdated."""
        if not self.is_shared:
            return self.actor_ids
        return [self.caller.actor_id] if self.needs > self.extent else self._equal
