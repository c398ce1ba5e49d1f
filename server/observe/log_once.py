from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

WINDOW_SECONDS = 60
MOST_KEYS = 10_000


class LogOnce:
    """Tells whether an event is the first one of its key in a while, so that an attack doesn't fill the log."""

    def __init__(self, clock: Callable[[], float] = monotonic, seconds: float = WINDOW_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._logged: OrderedDict[str, float] = OrderedDict()

    def is_first(self, key: str) -> bool:
        now, before = self._clock(), self._logged.get(key)
        if before is not None and now - before < self._seconds:
            return False
        self._logged[key] = now
        self._logged.move_to_end(key)
        if len(self._logged) > MOST_KEYS:
            self._logged.popitem(last=False)
        return True
