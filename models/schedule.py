"""Schedules: a cron expression in a time zone, and the policies for overlapping and missed runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice

from mainsheet.models import cron, limits, zones
from mainsheet.models.errors import Invalid, Path, UserError

HORIZON = timedelta(days=100 * 365)  # the search limit; the next leap day on a Monday may be 40 years away


class ConcurrencyPolicy(StrEnum):
    SKIP = "SKIP"
    ALLOW = "ALLOW"
    REPLACE = "REPLACE"


class MissedSchedulePolicy(StrEnum):
    SKIP = "SKIP"
    RUN_ONCE = "RUN_ONCE"
    RUN_ALL = "RUN_ALL"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    cron: str
    timezone: str = "UTC"
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.SKIP
    max_concurrent_runs: int | None = None
    missed_schedule_policy: MissedSchedulePolicy = MissedSchedulePolicy.SKIP

    def __post_init__(self) -> None:
        object.__setattr__(self, "cron", cron.normalized(self.cron))

    @property
    def itself(self) -> "Schedule":
        return self

    def fire_times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the times after `after`, up to and including `until`; none if the expression or zone is unknown.

        Versions stored by an earlier release may have values that are refused now.
        """
        try:
            expression, zone = cron.parse(self.cron), zones.zone(self.timezone)
        except (cron.BadCron, KeyError):
            return iter(())
        return cron.fire_times(expression, zone, after, until)

    def next_fire_times(self, after: datetime, count: int) -> list[datetime]:
        """Return the first `count` times after `after`, or fewer if there are fewer within 100 years."""
        return list(islice(self.fire_times(after, after + HORIZON), count))

    def problems(self, path: Path) -> Iterator[UserError]:
        problems = [
            *_cron_problems(self.cron, (*path, "cron")),
            *_timezone_problems(self.timezone, (*path, "timezone")),
        ]
        yield from problems or self._never_fires((*path, "cron"))
        yield from self._concurrency_problems((*path, "max_concurrent_runs"))

    def _never_fires(self, path: Path) -> Iterator[Invalid]:
        """Yield a problem if clock changes of the zone skip every time that the expression matches."""
        if not self.next_fire_times(datetime.now(UTC), 1):
            yield Invalid(path=path, reason=f"Never fires: the clock in {self.timezone} skips all of its times.")

    def _concurrency_problems(self, path: Path) -> Iterator[Invalid]:
        if self.max_concurrent_runs is not None:
            yield from limits.CONCURRENT_RUNS.check(self.max_concurrent_runs, path)
        is_allow = self.concurrency_policy is ConcurrencyPolicy.ALLOW
        if is_allow and self.max_concurrent_runs is None:
            yield Invalid(path=path, reason="The concurrency policy ALLOW needs this number.")
        if not is_allow and self.max_concurrent_runs is not None:
            yield Invalid(
                path=path, reason=f"Goes with the concurrency policy ALLOW only, which is {self.concurrency_policy}."
            )


def _cron_problems(text: str, path: Path) -> Iterator[Invalid]:
    problems = list(limits.CRON.check(text, path))
    yield from problems or (Invalid(path=path, reason=fault) for fault in _cron_faults(text))


def _cron_faults(text: str) -> tuple[str, ...]:
    try:
        cron.parse(text)
    except cron.BadCron as bad:
        return bad.faults
    return ()


def _timezone_problems(timezone: str, path: Path) -> Iterator[Invalid]:
    problems = list(limits.TIMEZONE.check(timezone, path))
    yield from problems
    if not problems and timezone not in zones.names():
        yield Invalid(
            path=path, reason=f"{timezone!a} isn't a name of the IANA time zone database, as Europe/Berlin is."
        )


@lru_cache(maxsize=4096)
def describe(text: str) -> str:
    """Return an English description of a cron expression, or the reason why it isn't supported."""
    try:
        return cron.describe(cron.parse(text))
    except cron.BadCron as bad:
        return f"This expression isn't supported: {bad}"
