from collections.abc import Callable
from time import monotonic

from cachetools import TTLCache

WINDOW_SECONDS = 60
MOST_KEYS = 10_000


class LogOnce:
    """Tells whether an event is the first one of its key in a while, so that an attack doesn't fill the log."""

    def __init__(self, clock: Callable[[], float] = monotonic, seconds: float = WINDOW_SECONDS) -> None:
        self._logged: TTLCache[str, bool] = TTLCache(MOST_KEYS, seconds, clock)

    def is_first(self, key: str) -> bool:
        if key in self._logged:
            return False
        self._logged[key] = True
        return True
