"""Runs like those of the execution plane: at the schedule's fire times, with the version that was current then."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from mainsheet.demo.life import Life
from mainsheet.models import limits
from mainsheet.models.event import EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.job import JobStatus
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.job_version import JobVersion, schedule_of
from mainsheet.models.run_lease import RunLease
from mainsheet.models.schedule import Schedule

PER_VERSION = 8  # the latest runs of each version
OUTCOMES = (
    *(JobRunStatus.SUCCEEDED,) * 7,
    JobRunStatus.FAILED,
    *(JobRunStatus.SUCCEEDED,) * 4,
    JobRunStatus.SKIPPED,
    *(JobRunStatus.SUCCEEDED,) * 3,
    JobRunStatus.CANCELLED,
)
POINTER_MOVES = {
    EventAction.JOB_CREATED,
    EventAction.VERSION_CREATED,
    EventAction.DRAFT_PUBLISHED,
    EventAction.VERSION_ACTIVATED,
}
ERRORS = (
    ("OUT_OF_MEMORY", "An executor was killed: it needed 9.2 GB, more than its limit of 8 GB."),
    ("TIMEOUT", "The run took longer than its limit."),
    (None, 'relation "raw.orders" does not exist'),
    ("SOURCE_UNREACHABLE", "The source refused the connection three times."),
)
NEVER_STARTED = {JobRunStatus.PENDING, JobRunStatus.READY, JobRunStatus.SKIPPED}
PROGRESS = {JobRunStatus.RUNNING: 40, JobRunStatus.SUCCEEDED: 100}
UNDER_WAY_FOR = timedelta(seconds=40)
LEASE = timedelta(seconds=limits.LEASE_SECONDS.maximum)  # no worker renews it


@dataclass(frozen=True)
class Reign:
    """The period in which a version was current and the job wasn't paused for good."""

    version: JobVersion
    since: datetime
    until: datetime


def runs_of(life: Life, now: datetime, doing: JobRunStatus | None, chance: Random) -> Iterator[JobRun]:
    """Yield the job's runs up to `now`, oldest first. `doing` describes what the last one does."""
    outcome = chance.randrange(len(OUTCOMES))
    for reign in _reigns(life, now - UNDER_WAY_FOR):
        trigger = JobRunTrigger.SCHEDULE if reign.version.cron else JobRunTrigger.MANUAL
        for at in _moments(reign, chance):
            outcome = (outcome + 1) % len(OUTCOMES)
            yield _run(life, reign.version.number, trigger, OUTCOMES[outcome], at=at, now=now, chance=chance)
    if doing:
        number = life.job.current_number
        yield _run(life, number, JobRunTrigger.MANUAL, doing, at=now - UNDER_WAY_FOR, now=now, chance=chance)


def leases_of(runs: Iterable[JobRun], now: datetime) -> Iterator[RunLease]:
    """Yield a lease for each running run, so that it ends like that of a worker that is gone."""
    for run in runs:
        if run.status is JobRunStatus.RUNNING:
            own = {"run_id": run.id, "organization_id": run.organization_id, "attempt": run.attempt}
            yield RunLease(**own, expires_at=now + LEASE, has_reported=True)


def _reigns(life: Life, now: datetime) -> list[Reign]:
    moves = [each for each in life.events if each.action in POINTER_MOVES]
    ends = [each.occurred_at for each in moves[1:]] + [_paused_at(life) or now]
    return [
        Reign(life.versions[each.to_version_number], each.occurred_at, end)
        for each, end in zip(moves, ends, strict=True)
        if each.to_version_number
    ]


def _paused_at(life: Life) -> datetime | None:
    return life.job.updated_at if life.job.status is JobStatus.PAUSED else None


def _run(
    life: Life,
    number: int,
    trigger: JobRunTrigger,
    status: JobRunStatus,
    *,
    at: datetime,
    now: datetime,
    chance: Random,
) -> JobRun:
    started_at = None if status in NEVER_STARTED else at + timedelta(seconds=chance.randint(2, 30))
    finished_at = (started_at or at) + timedelta(seconds=chance.randint(15, 200))
    if status is JobRunStatus.SKIPPED:
        finished_at = at
    elif finished_at > now and status not in NEVER_STARTED:
        status = JobRunStatus.RUNNING
    own_id = new_id(JobRun.PREFIX, at, chance)
    code, message = ERRORS[ord(own_id[-1]) % len(ERRORS)] if status is JobRunStatus.FAILED else (None, None)
    return JobRun(
        id=own_id,
        organization_id=life.job.organization_id,
        job_id=life.job.id,
        version_number=number,
        cluster_id=life.versions[number].cluster_id,
        attempt=int(started_at is not None),
        retries=0,
        lost_claims=0,
        parameters=[],
        triggered_by_id=life.job.updated_by_id if trigger is JobRunTrigger.MANUAL else None,
        progress_percent=PROGRESS.get(status),
        error_code=code,
        error_message=message,
        log_url=f"https://logs.example/{own_id}" if started_at else None,
        available_at=at if status is JobRunStatus.READY else None,
        status=status,
        trigger=trigger,
        created_at=at,
        started_at=started_at,
        finished_at=finished_at if status in (*OUTCOMES,) else None,
    )


def _moments(reign: Reign, chance: Random) -> list[datetime]:
    if schedule := schedule_of(reign.version):
        # In UTC: adding to a local time would follow the wall clock through daylight saving.
        return [at.astimezone(UTC) for at in _latest_fire_times(schedule, reign)]
    return sorted(reign.since + (reign.until - reign.since) * chance.random() for _ in range(3))


def _latest_fire_times(schedule: Schedule, reign: Reign) -> list[datetime]:
    length = timedelta(hours=1)
    while True:
        since = max(reign.since, reign.until - length)
        found = list(schedule.fire_times(since, reign.until))
        if len(found) >= PER_VERSION or since == reign.since:
            return found[-PER_VERSION:]
        length *= 4
