"""A time limit for operations that costs less than a timer for each."""

import asyncio
from types import TracebackType
from typing import Self


class TimeLimits:
    """Time limits of the same length, in seconds, in one event loop.

    They expire in the order in which they begin, so one timer suffices.

    A timer for each, as `asyncio.timeout` has one, took three percent of the time of a small operation.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[TimeLimit, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> "TimeLimit":
        """Return a limit for what runs inside, as a context manager. It raises `TimeoutError` if the limit expires."""
        return TimeLimit(self)

    def add(self, limit: "TimeLimit") -> None:
        self._running[limit] = None
        if self._timer is None:
            self._timer = limit.loop.call_at(limit.at, self._expire)

    def remove(self, limit: "TimeLimit") -> None:
        self._running.pop(limit, None)

    def _expire(self) -> None:
        """Cancel the tasks whose limits have expired, and wait for the next limit."""
        self._timer = None
        for limit in list(self._running):
            if limit.loop.time() < limit.at:
                self._timer = limit.loop.call_at(limit.at, self._expire)
                return
            self.remove(limit)
            limit.expire()


class TimeLimit:
    """A time limit for one task. A cancellation by others stays one."""

    __slots__ = ("_cancellations", "_task", "_time_limits", "at", "has_expired", "loop")

    def __init__(self, time_limits: TimeLimits) -> None:
        self._time_limits = time_limits
        self.has_expired = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 for the type checker: only tasks run operations
        self._task = task
        self._cancellations = task.cancelling()
        self.loop = task.get_loop()
        self.at = self.loop.time() + self._time_limits.seconds
        self._time_limits.add(self)
        return self

    def expire(self) -> None:
        self.has_expired = True
        self._task.cancel()

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._time_limits.remove(self)
        if not self.has_expired:
            return
        # As in `asyncio.timeout`: if others have cancelled the task too, it ends by that.
        is_only_one = self._task.uncancel() <= self._cancellations
        if is_only_one and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error
