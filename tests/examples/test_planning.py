"""The plane's decisions about one job, without a server."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from examples.plane.planning import ACTIVE, LATE, REPLACED, Due, Step, due, steps

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
GRACE = timedelta(minutes=1)


def at(minutes: float) -> str:
    """A time so many minutes before noon."""
    return (NOON - timedelta(minutes=minutes)).isoformat()


def job(
    *minutes: float,
    missed: str = "SKIP",
    concurrency: str = "SKIP",
    most: int | None = None,
    made: Sequence[float] = (),
    active: Sequence[dict[str, Any]] = (),
    dependencies: Sequence[dict[str, Any]] = (),
    updates: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """A job whose schedule fires so many minutes before noon."""
    schedule: dict[str, Any] = {
        "missedSchedulePolicy": missed,
        "concurrencyPolicy": concurrency,
        "maxConcurrentRuns": most,
    }
    schedule["nextFireTimes"] = [at(each) for each in minutes]
    return {
        "activatedAt": at(100),
        "updates": {"nodes": list(updates)},
        "made": {"nodes": [{"scheduledFor": at(each)} for each in made]},
        "active": {"nodes": list(active)},
        "currentVersion": {"schedule": schedule, "dependencies": list(dependencies)},
    }


def run(id: str, status: str = "PENDING", trigger: str = "SCHEDULE", **values: Any) -> dict[str, Any]:
    return {"id": id, "status": status, "trigger": trigger, "createdAt": id, "cancelRequestedAt": None, **values}


def other(condition: str, ended: str | None, *active: str) -> dict[str, Any]:
    ends = [] if ended is None else [{"status": ended}]
    found = {"active": {"nodes": [{"status": each} for each in active]}, "ended": {"nodes": ends}}
    return {"condition": condition, "jobKey": "other", "job": found}


def planned(given: dict[str, Any]) -> list[tuple[float, str | None]]:
    found: list[Due] = list(due(given, NOON, GRACE))
    return [((NOON - each.at) / timedelta(minutes=1), each.skip_reason) for each in found]


@pytest.mark.parametrize(
    ("policy", "reasons"),
    [("SKIP", [LATE, LATE, None]), ("RUN_ONCE", [LATE, None, None]), ("RUN_ALL", [None, None, None])],
)
def test_missed_times_follow_the_policy(policy: str, reasons: list[str | None]) -> None:
    assert planned(job(20, 10, 0.5, -5, missed=policy)) == list(zip((20, 10, 0.5), reasons, strict=True))


def test_times_that_have_a_run_are_left_alone() -> None:
    assert planned(job(20, 10, 0, made=[20, 0])) == [(10, LATE)]


def test_times_before_the_activation_or_the_end_of_a_pause_are_left_alone() -> None:
    renamed = {"occurredAt": at(5), "changes": [{"path": ["name"]}]}
    resumed = {"occurredAt": at(15), "changes": [{"path": ["status"]}]}

    assert planned(job(110, 90)) == [(90, LATE)]
    assert planned(job(20, 10, updates=[renamed, resumed])) == [(10, LATE)]


@pytest.mark.parametrize(("policy", "reason"), [("SKIP", ACTIVE), ("ALLOW", None), ("REPLACE", None)])
def test_a_time_while_a_run_is_active_follows_the_policy(policy: str, reason: str | None) -> None:
    assert planned(job(0, concurrency=policy, active=[run("1", "RUNNING")])) == [(0, reason)]


def test_held_runs_start_when_there_is_room() -> None:
    held, busy = [run("2"), run("3"), run("4")], [run("1", "RUNNING")]

    assert list(steps(job(active=[*held, *busy]))) == []
    assert list(steps(job(active=held))) == [Step("2")]
    assert list(steps(job(active=[*held, *busy], concurrency="ALLOW", most=3))) == [Step("2"), Step("3")]


def test_a_new_run_replaces_the_active_one_when_that_has_ended() -> None:
    busy, asked = run("1", "RUNNING"), run("1", "RUNNING", cancelRequestedAt="now")

    assert list(steps(job(active=[busy, run("2"), run("3")], concurrency="REPLACE"))) == [
        Step("1", REPLACED),
        Step("2", REPLACED),
    ]
    assert list(steps(job(active=[asked, run("3")], concurrency="REPLACE"))) == []
    assert list(steps(job(active=[run("3")], concurrency="REPLACE"))) == [Step("3")]


def test_a_run_that_a_person_holds_is_left_alone() -> None:
    assert list(steps(job(active=[run("1", trigger="MANUAL")]))) == []


@pytest.mark.parametrize(
    ("dependency", "starts"),
    [
        (other("ON_SUCCESS", "SUCCEEDED"), True),
        (other("ON_SUCCESS", "FAILED"), False),
        (other("ON_FAILURE", "FAILED"), True),
        (other("ON_FAILURE", "SUCCEEDED"), False),
        (other("ON_COMPLETION", "CANCELLED"), True),
        (other("ON_SUCCESS", "SUCCEEDED", "RUNNING"), None),
        (other("ON_SUCCESS", None), None),
        ({"condition": "ON_SUCCESS", "jobKey": "other", "job": None}, False),
    ],
)
def test_a_held_run_waits_for_its_dependencies(dependency: dict[str, Any], starts: bool | None) -> None:
    found = list(steps(job(active=[run("1")], dependencies=[dependency])))

    assert [each.cancel_reason is None for each in found] == ([] if starts is None else [starts])
