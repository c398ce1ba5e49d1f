"""Token buckets, one for each key, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

MINUTE = 60.0
MOST_KEYS = 10_000

Clock = Callable[[], float]


class Bucket:
    """A token bucket. It starts with `quota` tokens, which is its maximum, and refills as many per minute.

    A charge may exceed the tokens left: the bucket is then in debt until enough time has passed.

    It keeps the time at which it is full again, as the generic cell rate algorithm does (ITU-T I.371, annex A): this
    is less work than keeping the tokens.
    """

    __slots__ = ("_clock", "_full_at", "_seconds_a_token", "quota")

    def __init__(self, quota: float, clock: Clock = time.monotonic) -> None:
        self.quota = quota
        self._clock = clock
        self._seconds_a_token = MINUTE / quota
        self._full_at = clock()

    def left(self) -> float:
        """Return the tokens, negative if the bucket is in debt."""
        return self.quota - self.seconds_until_full() / self._seconds_a_token

    def charge(self, tokens: float) -> None:
        """Take tokens; a negative number gives them back."""
        now = self._clock()
        full_at = self._full_at
        self._full_at = (max(now, full_at)) + tokens * self._seconds_a_token

    def seconds_until_full(self) -> float:
        missing = self._full_at - self._clock()
        return missing if missing > 0 else 0.0

    def seconds_until(self, tokens: float) -> float:
        """Return the seconds until the bucket has this many tokens, at least 0."""
        return max(0.0, self.seconds_until_full() - (self.quota - tokens) * self._seconds_a_token)


class Buckets:
    """The buckets of keys. A missing one counts as full, so that unused ones needn't be kept."""

    def __init__(self, quota: float, clock: Clock = time.monotonic) -> None:
        self.quota = quota
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        """Return the bucket of a key. It may be forgotten: the least recently used one is, the fullest as a rule."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            self._buckets.move_to_end(key)
            return bucket
        bucket = self._buckets[key] = Bucket(self.quota, self._clock)
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)
        return bucket

    def left(self, key: str) -> float:
        """Return the tokens of a key, negative if it is in debt."""
        bucket = self._buckets.get(key)
        return self.quota if bucket is None else bucket.left()
