"""Rate limit for wrong tokens by client address: beyond it, unknown tokens aren't looked up in the database."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic

import structlog

from mainsheet.server.errors import Code, RequestError
from mainsheet.server.observe.log_once import LogOnce

MOST_CLIENTS = 10_000
SECONDS = 60

log = structlog.stdlib.get_logger("mainsheet.authentication")


class TooManyGuesses(RequestError):
    refusal = "wrong_tokens"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"Too many wrong tokens came from this address: try again in {retry_after} s.",
            code=Code.RATE_LIMITED,
            headers={"Retry-After": str(retry_after)},
        )


@dataclass(slots=True)
class Bucket:
    level: float
    at: float


class Guesses:
    """A leaky bucket for each client. Wrong tokens fill it; it drains at `per_minute`.

    While it is full, one more guess is allowed each time that it has drained by one, so that a new token works even
    during an attack from the same address, if its client retries. 0 means no limit.
    """

    def __init__(self, per_minute: int = 0, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._logged = LogOnce(clock)

    def check(self, client: str) -> None:
        """Raise `TooManyGuesses` if the client's bucket is full."""
        bucket = self._buckets.get(client)
        excess = self._level(bucket) + 1 - self._per_minute if bucket else 0
        if excess <= 0 or not self._per_minute:
            return
        if self._logged.is_first(client):
            log.warning("too many wrong tokens from one address", client=client)
        raise TooManyGuesses(math.ceil(excess * SECONDS / self._per_minute))

    def count(self, client: str) -> None:
        bucket = self._buckets.get(client)
        level = self._level(bucket) if bucket else 0
        self._buckets[client] = Bucket(level + 1, self._clock())
        self._buckets.move_to_end(client)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)

    def _level(self, bucket: Bucket) -> float:
        return max(0, bucket.level - (self._clock() - bucket.at) * self._per_minute / SECONDS)
