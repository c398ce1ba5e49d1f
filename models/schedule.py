"""When a job runs by itself: cron in a timezone, and what happens when runs meet or were missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from models import limits
from models.errors import Invalid, Path, UserError


class ConcurrencyPolicy(StrEnum):
    SKIP = "SKIP"
    ALLOW = "ALLOW"
    REPLACE = "REPLACE"


class MissedSchedulePolicy(StrEnum):
    SKIP = "SKIP"
    RUN_ONCE = "RUN_ONCE"
    RUN_ALL = "RUN_ALL"


CRON_FIELDS = 5


@dataclass(frozen=True, kw_only=True)
class Schedule:
    cron: str
    timezone: str = "UTC"
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.SKIP
    max_concurrent_runs: int | None = None
    missed_schedule_policy: MissedSchedulePolicy = MissedSchedulePolicy.SKIP

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from _cron_problems(self.cron, (*path, "cron"))
        yield from _timezone_problems(self.timezone, (*path, "timezone"))
        yield from self._concurrency_problems((*path, "max_concurrent_runs"))

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


def _cron_problems(cron: str, path: Path) -> Iterator[Invalid]:
    problems = list(limits.CRON.check(cron, path))
    yield from problems
    if not problems and not _is_cron(cron):
        yield Invalid(path=path, reason=f"{cron!a} isn't a cron expression of five fields that ever fires.")


def _is_cron(cron: str) -> bool:
    try:
        return len(cron.split()) == CRON_FIELDS and bool(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError:
        return False


def _timezone_problems(timezone: str, path: Path) -> Iterator[Invalid]:
    problems = list(limits.TIMEZONE.check(timezone, path))
    yield from problems
    if not problems and timezone not in _timezones():
        yield Invalid(
            path=path, reason=f"{timezone!a} isn't a name of the IANA time zone database, as Europe/Berlin is."
        )


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime"})  # a machine's own link to one of them


def fire_times(cron: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """Return the next `count` moments after `after` at which the schedule fires."""
    return list(islice(CronSim(cron, after.astimezone(ZoneInfo(timezone))), count))


def explain(cron: str) -> str:
    """Say the cron expression in English."""
    return CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)).explain()
