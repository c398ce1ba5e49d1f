"""Token buckets, one for each key, in bounded memory."""

import time
from collections.abc import Callable, Hashable

from cachetools import LRUCache

MINUTE = 60.0
MOST_KEYS = 10_000

Clock = Callable[[], float]


class Bucket:
    """A token bucket. It starts with `quota` tokens, which is its maximum, and refills as many per minute.

    A charge may exceed the tokens left: the bucket is then in debt until enough time has passed.
    """

    __slots__ = ("__weakref__", "_missing", "_since", "clock", "quota", "rate")

    def __init__(self, quota: float, clock: Clock = time.monotonic) -> None:
        self.quota = quota
        self.clock = clock
        self.rate = quota / MINUTE  # tokens per second
        self._missing = 0.0  # tokens, at `_since`
        self._since = clock()

    def left(self) -> float:
        """Return the tokens, negative if the bucket is in debt."""
        return self.left_at(self.clock())

    def left_at(self, now: float) -> float:
        missing = self._missing - (now - self._since) * self.rate
        return self.quota - missing if missing > 0 else self.quota

    def charge(self, tokens: float) -> None:
        """Take tokens; a negative number gives them back."""
        self.charge_at(self.clock(), tokens)

    def charge_at(self, now: float, tokens: float) -> None:
        missing = self._missing - (now - self._since) * self.rate
        self._missing = (missing if missing > 0 else 0.0) + tokens
        self._since = now

    def seconds_until(self, tokens: float) -> float:
        """Return the seconds until the bucket has this many tokens, at least 0."""
        missing = tokens - self.left()
        return missing / self.rate if missing > 0 else 0.0


class Buckets:
    """The buckets of keys. A missing one counts as full, so that unused ones needn't be kept."""

    def __init__(self, quota: float, clock: Clock = time.monotonic) -> None:
        self.quota = quota
        self._clock = clock
        self._buckets: LRUCache[Hashable, Bucket] = LRUCache(MOST_KEYS)

    def of(self, key: Hashable) -> Bucket:
        """Return the bucket of a key. It may be forgotten: the least recently used one is, the fullest as a rule."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self.quota, self._clock)
        return bucket

    def left(self, key: Hashable) -> float:
        """Return the tokens of a key, negative if it is in debt."""
        return self._buckets[key].left() if key in self._buckets else self.quota
