"""Token buckets, one for each key, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

MINUTE = 60.0
MOST_KEYS = 10_000

Clock = Callable[[], float]


class Buckets:
    """Token buckets. Each key's starts with `quota` tokens, which is its maximum, and refills as many per minute.

    A charge may exceed the tokens left: the key is then in debt until enough time has passed. A missing bucket counts
    as full, so that unused keys needn't be kept.
    """

    def __init__(self, quota: float, clock: Clock = time.monotonic) -> None:
        self.quota = quota
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and the time of that count

    def left(self, key: str) -> float:
        """Return the tokens of a key, negative if it is in debt."""
        if key not in self._levels:
            return self.quota
        tokens, since = self._levels[key]
        return min(self.quota, tokens + (self._clock() - since) * self.quota / MINUTE)

    def charge(self, key: str, tokens: float) -> None:
        """Take tokens; a negative number gives them back."""
        self._levels[key] = min(self.quota, self.left(key) - tokens), self._clock()
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KEYS:
            self._levels.popitem(last=False)  # the least recently used one: the fullest, as a rule

    def seconds_until(self, key: str, tokens: float) -> float:
        """Return the seconds until a key has this many tokens."""
        return max(0.0, tokens - self.left(key)) * MINUTE / self.quota
