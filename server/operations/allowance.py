"""A budget per minute for callers and organizations, and the headers that show it to clients."""

import math
from dataclasses import dataclass
from typing import Any, Self

from mainsheet.resolvers.caller import Caller
from mainsheet.server.operations.buckets import MINUTE, Bucket, Buckets, Clock
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

    def account(self, caller: Caller) -> "Account":
        """Return the two budgets of a caller, for the time of one operation."""
        return Account(self, self.callers.of(caller.actor_id), self.organizations.of(caller.organization_id))

    @property
    def policy(self) -> str:
        """Return an item of the header `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={math.floor(self.callers.quota)};w={MINUTE:.0f}'


class Account:
    """A caller's budget and its organization's. Both are charged, and the smaller one counts."""

    __slots__ = ("_organization", "_own", "allowance")

    def __init__(self, allowance: Allowance, own: Bucket, organization: Bucket) -> None:
        self.allowance = allowance
        self._own = own
        self._organization = organization

    def left(self) -> float:
        now = self._own.clock()
        own, shared = self._own.left_at(now), self._organization.left_at(now)
        return min(own, shared)

    def charge(self, amount: float) -> None:
        now = self._own.clock()
        self._own.charge_at(now, amount)
        self._organization.charge_at(now, amount)

    def retry_after(self) -> int:
        """Return the whole seconds, at least 1, until neither budget is in debt."""
        return max(1, math.ceil(max(self._own.seconds_until(0), self._organization.seconds_until(0))))

    def header(self) -> str:
        """Return an item of the header `RateLimit`: the remaining quota, and the seconds until it is full."""
        own, shared = self._own, self._organization
        now = own.clock()
        own_left, shared_left = own.left_at(now), shared.left_at(now)
        left = min(own_left, shared_left)
        full = max((own.quota - own_left) / own.rate, (own.quota - shared_left) / shared.rate)
        return f'"{self.allowance.name}";r={int(left) if left > 0 else 0};t={math.ceil(full)}'

    def state(self) -> dict[str, Any]:
        return {"limit": round(self._own.quota, 3), "remaining": round(max(0.0, self.left()), 3)}


def _buckets(per_minute: float, settings: Settings, clock: Clock) -> tuple[Buckets, Buckets]:
    """Return the buckets of callers and of organizations. Each of several workers has an equal share."""
    share = per_minute / settings.workers
    return Buckets(share, clock), Buckets(share * settings.organization_limit_factor, clock)
