"""A budget per minute for callers and organizations, and the headers that show it to clients."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from weakref import WeakValueDictionary

from cachetools import LRUCache

from mainsheet.resolvers.caller import Caller
from mainsheet.server.operations.buckets import MINUTE, MOST_KEYS, Bucket, Clock
from mainsheet.server.settings import Settings

PUBLIC_SHARE = 0.05  # of a caller's points: full introspection about 20 times a minute
PUBLIC_FACTOR = 4


@dataclass(frozen=True, eq=False)
class Allowance:
    """A budget of each caller, and a larger one that all callers of an organization share.

    The accounts of the most recent callers are kept, and with them the budgets of their organizations.
    """

    name: str  # in headers and metrics
    key: str  # in `extensions`
    unit: str  # in messages
    quota: float  # per minute; of each of several workers an equal share
    organization_quota: float
    clock: Clock
    _accounts: "LRUCache[str, Account]" = field(init=False, default_factory=lambda: LRUCache(MOST_KEYS))
    _shared: WeakValueDictionary[str, Bucket] = field(init=False, default_factory=WeakValueDictionary)

    @classmethod
    def points(cls, settings: Settings, clock: Clock) -> Self:
        return cls("points", "points", "cost points", *_quotas(settings.points_per_minute, settings), clock)

    @classmethod
    def public_points(cls, settings: Settings, clock: Clock) -> Self:
        """Return the budget of an address without a token, and the one that all addresses share."""
        own = settings.points_per_minute / settings.workers * PUBLIC_SHARE
        return cls("points", "points", "cost points", own, own * PUBLIC_FACTOR, clock)

    @classmethod
    def database_seconds(cls, settings: Settings, clock: Clock) -> Self:
        quotas = _quotas(settings.database_seconds_per_minute, settings)
        return cls("database", "databaseSeconds", "database time", *quotas, clock)

    def account(self, caller: Caller) -> "Account":
        try:
            return self._accounts[caller.actor_id]
        except KeyError:
            return self._added(caller)

    def _added(self, caller: Caller) -> "Account":
        shared = self._shared.get(caller.organization_id)
        if shared is None:
            shared = self._shared[caller.organization_id] = Bucket(self.organization_quota, self.clock)
        account = self._accounts[caller.actor_id] = Account(self, Bucket(self.quota, self.clock), shared)
        return account

    @cached_property
    def policy(self) -> str:
        """Return an item of the header `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={math.floor(self.quota)};w={MINUTE:.0f}'


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


def _quotas(per_minute: float, settings: Settings) -> tuple[float, float]:
    """Return the quotas of a caller and of an organization."""
    share = per_minute / settings.workers
    return share, share * settings.organization_limit_factor
