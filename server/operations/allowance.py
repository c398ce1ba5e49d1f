"""A budget per minute for callers and organizations, and the headers that show it to clients."""

import math
from dataclasses import dataclass
from typing import Any, Self

from mainsheet.resolvers.caller import Caller
from mainsheet.server.operations.buckets import MINUTE, Buckets, Clock
from mainsheet.server.settings import Settings


@dataclass(frozen=True)
class Allowance:
    """A budget of each caller, and a larger one that all callers of an organization share."""

    name: str  # in headers and metrics
    key: str  # in `extensions`
    unit: str  # in messages
    callers: Buckets
    organizations: Buckets

    @classmethod
    def points(cls, settings: Settings, clock: Clock) -> Self:
        return cls("points", "points", "cost points", *_buckets(settings.points_per_minute, settings, clock))

    @classmethod
    def database_seconds(cls, settings: Settings, clock: Clock) -> Self:
        buckets = _buckets(settings.database_seconds_per_minute, settings, clock)
        return cls("database", "databaseSeconds", "database time", *buckets)

    def left(self, caller: Caller) -> float:
        return min(self.callers.left(caller.actor_id), self.organizations.left(caller.organization_id))

    def charge(self, caller: Caller, amount: float) -> None:
        self.callers.charge(caller.actor_id, amount)
        self.organizations.charge(caller.organization_id, amount)

    def retry_after(self, caller: Caller) -> int:
        """Return the whole seconds, at least 1, until neither budget is in debt."""
        return max(1, math.ceil(self._seconds_until(caller, 0)))

    @property
    def policy(self) -> str:
        """Return an item of the header `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={math.floor(self.callers.quota)};w={MINUTE:.0f}'

    def header(self, caller: Caller) -> str:
        """Return an item of the header `RateLimit`: the remaining quota, and the seconds until it is full."""
        back = self._seconds_until(caller, self.callers.quota)
        return f'"{self.name}";r={math.floor(self._remaining(caller))};t={math.ceil(back)}'

    def state(self, caller: Caller) -> dict[str, Any]:
        return {"limit": round(self.callers.quota, 3), "remaining": round(self._remaining(caller), 3)}

    def _seconds_until(self, caller: Caller, amount: float) -> float:
        """Return the seconds until both budgets have this much left."""
        own = self.callers.seconds_until(caller.actor_id, amount)
        return max(own, self.organizations.seconds_until(caller.organization_id, amount))

    def _remaining(self, caller: Caller) -> float:
        return max(0.0, self.left(caller))


def _buckets(per_minute: float, settings: Settings, clock: Clock) -> tuple[Buckets, Buckets]:
    """Return the buckets of callers and of organizations. Each of several workers has an equal share."""
    share = per_minute / settings.workers
    return Buckets(share, clock), Buckets(share * settings.organization_limit_factor, clock)
