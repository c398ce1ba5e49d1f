"""The budget of introspection without a token, where it is public: each address is a caller with little to spend."""

import time

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Refusal
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RequestError
from mainsheet.server.operations.admission import Admission, overloaded
from mainsheet.server.operations.allowance import Allowance
from mainsheet.server.operations.buckets import Clock
from mainsheet.server.operations.budget import Budget, queue_of
from mainsheet.server.settings import Settings

ANYBODY = ""  # in the place of an organization


def anybody(address: str) -> Caller:
    """Return those without a token at an address as a caller, who may do nothing."""
    return Caller(address, ANYBODY, OrganizationRole.MEMBER, frozenset())


class PublicBudget(Budget):
    """Their operations run one at a time, and use no database."""

    who = "Requests without a token"

    def __init__(self, settings: Settings, database: Database, clock: Clock = time.monotonic) -> None:
        super().__init__(settings, database, clock)
        self.queries = self.mutations = queue_of(settings, 1)
        self.admissions = {self.queries: Admission(self.queries, settings.queue_seconds)}
        self.points = Allowance.public_points(settings, clock) if settings.points_per_minute else None
        self.seconds = None

    def refused(self, reason: str, caller: Caller) -> Refusal:
        return Refusal(reason, client=caller.actor_id)

    def waited_too_long(self) -> RequestError:
        return overloaded()
