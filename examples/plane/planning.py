"""Which runs a job's schedule needs now. Nothing here uses the network: a job is what `scheduler.py` has read of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Job = dict[str, Any]
Run = dict[str, Any]

LATE = "The execution plane wasn't there at this time."
ACTIVE = "Another run of the job is active."
REPLACED = "A newer run replaces it."
MEETS = {
    "ON_SUCCESS": {"SUCCEEDED"},
    "ON_FAILURE": {"FAILED"},
    "ON_COMPLETION": {"SUCCEEDED", "FAILED", "CANCELLED"},
}


@dataclass(frozen=True)
class Due:
    """A time of the schedule for which a run is to be made: held, or skipped for a reason."""

    at: datetime
    skip_reason: str | None = None


@dataclass(frozen=True)
class Step:
    """A held or active run that is to be released or, for a reason, cancelled."""

    run_id: str
    cancel_reason: str | None = None


def due(job: Job, now: datetime, grace: timedelta) -> Iterator[Due]:
    """Yield the times that have come and have no run. A time that is longer ago than `grace` was missed."""
    schedule = job["currentVersion"]["schedule"]
    times = [at for at in _fire_times(job) if at <= now]
    missed = [at for at in times if at < now - grace]
    yield from _missed(missed, schedule["missedSchedulePolicy"])
    is_busy = bool(job["active"]["nodes"])
    for at in times[len(missed) :]:
        yield Due(at, ACTIVE if is_busy and schedule["concurrencyPolicy"] == "SKIP" else None)
        is_busy = True


def _missed(times: Sequence[datetime], policy: str) -> Iterator[Due]:
    for at in times:
        is_run = policy == "RUN_ALL" or (policy == "RUN_ONCE" and at == times[-1])
        yield Due(at, None if is_run else LATE)


def _fire_times(job: Job) -> list[datetime]:
    """Return the times without a run since the current version was activated and the job was last resumed."""
    made = {_time(run["scheduledFor"]) for run in job["made"]["nodes"]}
    since = max(map(_time, [job["activatedAt"], *status_changes(job)]))
    times = map(_time, job["currentVersion"]["schedule"]["nextFireTimes"])
    return [at for at in times if at > since and at not in made]


def status_changes(job: Job) -> Iterator[str]:
    for event in job["updates"]["nodes"]:
        if any(change["path"] == ["status"] for change in event["changes"]):
            yield event["occurredAt"]


def steps(job: Job) -> Iterator[Step]:
    """Yield what to do with the job's unfinished runs by its concurrency policy and its dependencies."""
    schedule = job["currentVersion"]["schedule"]
    runs = sorted(job["active"]["nodes"], key=lambda run: run["createdAt"])
    held = [run for run in runs if run["status"] == "PENDING" and run["trigger"] == "SCHEDULE"]
    busy = [run for run in runs if run["status"] != "PENDING"]
    if schedule["concurrencyPolicy"] == "REPLACE" and held:
        yield from (Step(run["id"], REPLACED) for run in (*busy, *held[:-1]) if run["cancelRequestedAt"] is None)
        held = held[-1:]
    free = (schedule["maxConcurrentRuns"] or 1) - len(busy)
    yield from _started(held[: max(free, 0)], job["currentVersion"]["dependencies"])


def _started(runs: Sequence[Run], dependencies: Sequence[dict[str, Any]]) -> Iterator[Step]:
    states = [_state(each) for each in dependencies]
    if "unmet" in states:
        key = dependencies[states.index("unmet")]["jobKey"]
        yield from (Step(run["id"], f"The condition of the dependency on {key} isn't met.") for run in runs)
    elif "open" not in states:
        yield from (Step(run["id"]) for run in runs)


def _state(dependency: dict[str, Any]) -> str:
    """Compare the latest execution of the other job with the condition. While one is active, the state is open."""
    job = dependency["job"]
    if job is None:
        return "unmet"
    if job["active"]["nodes"] or not job["ended"]["nodes"]:
        return "open"
    return "met" if job["ended"]["nodes"][0]["status"] in MEETS[dependency["condition"]] else "unmet"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
