"""Rate limit for wrong tokens by client address: beyond it, unknown tokens aren't looked up in the database."""

import math
from time import monotonic

import structlog

from mainsheet.server.errors import RateLimited
from mainsheet.server.observe.log_once import LogOnce
from mainsheet.server.operations.buckets import Buckets, Clock

log = structlog.stdlib.get_logger("mainsheet.authentication")


class TooManyGuesses(RateLimited):
    refusal = "wrong_tokens"
    closes = True

    def __init__(self, retry_after: int) -> None:
        message = f"Too many wrong tokens came from this address: try again in {retry_after} s."
        super().__init__(message, retry_after)


class Guesses:
    """A token bucket for each client, from which each wrong token takes one. It refills at `per_minute`.

    While it is empty, one more guess is allowed each time that it has one again, so that a new token works even during
    an attack from the same address, if its client retries. 0 means no limit.
    """

    def __init__(self, per_minute: int = 0, clock: Clock = monotonic) -> None:
        self._buckets = Buckets(per_minute, clock) if per_minute else None
        self._logged = LogOnce(clock)

    def check(self, client: str) -> None:
        """Raise `TooManyGuesses` if the client's bucket is empty."""
        if self._buckets is None or self._buckets.left(client) >= 1:
            return
        if self._logged.is_first(client):
            log.warning("too many wrong tokens from one address", client=client)
        raise TooManyGuesses(math.ceil(self._buckets.of(client).seconds_until(1)))

    def count(self, client: str) -> None:
        if self._buckets is not None:
            self._buckets.of(client).charge(1)
