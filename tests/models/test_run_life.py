"""The life of a run, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mainsheet.models.job_run import (
    MAX_LOST_CLAIMS,
    JobRun,
    JobRunStatus,
    Retries,
    RunError,
    RunReport,
    RunReportState,
)
from mainsheet.models.run_errors import RunFinished, RunLeaseLost, RunNotFinished

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EARLIER = NOW - SECOND
OF = {"organization_id": "OR1", "job_id": "JB1", "version_number": 1, "cluster_id": "CL1"}
NO_RETRIES = Retries(0, 0)
FINISHED = [each for each in RunReportState if each is not RunReportState.RUNNING]


def made(hold: bool = False) -> JobRun:
    return JobRun.manual(OF, "MB1", NOW, after=EARLIER, hold=hold, parameters=(), message=None)


def report(state: str, attempt: int = 1, **values: Any) -> RunReport:
    return RunReport(attempt=attempt, state=RunReportState(state), **values)


def test_a_triggered_run_is_ready_and_a_held_one_pending() -> None:
    assert (made().status, made().available_at) == ("READY", NOW)
    assert (made(hold=True).status, made(hold=True).available_at) == ("PENDING", None)


def test_a_run_is_younger_than_the_one_before_though_the_clock_was_set_back() -> None:
    before = JobRun.manual(OF, "MB1", NOW + SECOND, after=EARLIER, hold=False, parameters=(), message=None)
    run = JobRun.manual(OF, "MB1", NOW, after=before.created_at, hold=False, parameters=(), message=None)

    assert run.created_at > before.created_at
    assert run.available_at == NOW


def test_only_a_ready_run_is_available() -> None:
    run = made()
    run.claim(NOW, 60)

    assert (run.status, run.available_at) == ("RUNNING", None)


def test_a_release_makes_a_pending_run_ready_once() -> None:
    run = made(hold=True)
    run.release(NOW + SECOND)
    run.release(NOW + 2 * SECOND)

    assert (run.status, run.available_at) == ("READY", NOW + SECOND)


def test_a_scheduled_run_is_available_at_its_time() -> None:
    later = NOW + timedelta(hours=1)
    ready = JobRun.scheduled(OF, NOW, later, after=EARLIER, hold=False, skip_reason=None)
    held = JobRun.scheduled(OF, NOW, later, after=EARLIER, hold=True, skip_reason=None)
    late = JobRun.scheduled(OF, NOW, NOW - SECOND, after=EARLIER, hold=False, skip_reason=None)
    skipped = JobRun.scheduled(OF, NOW, later, after=EARLIER, hold=False, skip_reason="Another runs.")
    held.release(NOW)

    assert [each.available_at for each in (ready, held, late, skipped)] == [later, later, NOW, None]
    assert (skipped.status, skipped.finished_at, skipped.message) == ("SKIPPED", NOW, "Another runs.")


def test_the_first_report_starts_the_run_and_renews_the_lease() -> None:
    run = made()
    lease = run.claim(NOW, 60)
    assert (run.status, run.attempt, run.started_at) == ("RUNNING", 1, None)

    assert run.report(report("RUNNING", progress_percent=5, lease_seconds=30), lease, NO_RETRIES, NOW + SECOND)
    assert run.report(report("RUNNING", log_url="x"), lease, NO_RETRIES, NOW + 2 * SECOND)

    assert (run.started_at, run.progress_percent, run.log_url) == (NOW + SECOND, 5, "x")
    assert lease.expires_at == NOW + 62 * SECOND


@pytest.mark.parametrize("state", FINISHED)
def test_a_final_report_finishes_the_run(state: RunReportState) -> None:
    run = made()
    lease = run.claim(NOW, 60)

    assert not run.report(report(state), lease, NO_RETRIES, NOW + SECOND)
    assert (run.status, run.finished_at) == (state.value, NOW + SECOND)
    assert not run.report(report(state), None, NO_RETRIES, NOW + 2 * SECOND)  # repeated
    assert run.finished_at == NOW + SECOND


@pytest.mark.parametrize("late", ["attempt", "expired", "no lease"])
def test_a_report_without_its_lease_is_refused(late: str) -> None:
    run = made()
    lease = run.claim(NOW, 60)
    at = NOW + (60 * SECOND if late == "expired" else SECOND)

    with pytest.raises(RunLeaseLost):
        run.report(
            report("SUCCEEDED", 2 if late == "attempt" else 1), None if late == "no lease" else lease, NO_RETRIES, at
        )
    assert run.status is JobRunStatus.RUNNING


def test_a_failed_run_is_retried_after_the_delay_until_no_retries_are_left() -> None:
    run, retries, error = made(), Retries(2, 30), RunError("Out of memory.", "OOM")
    for attempt in (1, 2):
        run.report(report("FAILED", attempt, error=error), run.claim(NOW, 60), retries, NOW)
        assert (run.status, run.available_at, run.error_code) == ("READY", NOW + 30 * SECOND, "OOM")
    run.report(report("FAILED", 3, error=error), run.claim(NOW, 60), retries, NOW)

    assert (run.status, run.finished_at, run.retries) == ("FAILED", NOW, 2)


def test_an_error_that_is_not_retryable_fails_at_once() -> None:
    run = made()
    error = RunError("No such table.", is_retryable=False)
    run.report(report("FAILED", error=error), run.claim(NOW, 60), Retries(5, 0), NOW)

    assert (run.status, run.error_message) == ("FAILED", "No such table.")


def test_a_success_after_a_failure_has_no_error() -> None:
    run = made()
    run.report(report("FAILED", error=RunError("Again.")), run.claim(NOW, 60), Retries(1, 0), NOW)
    run.report(report("SUCCEEDED", 2), run.claim(NOW, 60), Retries(1, 0), NOW)

    assert (run.status, run.error_message) == ("SUCCEEDED", None)


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "SKIPPED"])
def test_an_attempt_without_an_error_doesnt_keep_that_of_an_earlier_one(state: str) -> None:
    run = made()
    run.report(report("FAILED", error=RunError("Out of memory.", "OOM")), run.claim(NOW, 60), Retries(1, 0), NOW)
    lease = run.claim(NOW, 60)
    run.report(report("RUNNING", 2), lease, Retries(1, 0), NOW)
    assert (run.error_code, run.error_message) == ("OOM", "Out of memory.")  # until the second attempt ends
    run.report(report(state, 2), lease, Retries(1, 0), NOW)

    assert (run.status, run.error_code, run.error_message) == (state, None, None)


def test_a_cancelled_run_that_loses_its_lease_doesnt_keep_an_earlier_error() -> None:
    run = made()
    run.report(report("FAILED", error=RunError("Out of memory.", "OOM")), run.claim(NOW, 60), Retries(1, 0), NOW)
    lease = run.claim(NOW, 60)
    run.cancel("MB2", NOW)
    run.lose_lease(lease, Retries(1, 0), NOW)

    assert (run.status, run.error_code, run.error_message) == ("CANCELLED", None, None)


def test_a_lease_without_a_report_uses_no_retry_but_ends_after_ten() -> None:
    run = made()
    for _ in range(MAX_LOST_CLAIMS):
        run.lose_lease(run.claim(NOW, 60), NO_RETRIES, NOW)
        assert (run.status, run.retries) == ("READY", 0)
    run.lose_lease(run.claim(NOW, 60), NO_RETRIES, NOW)

    assert (run.status, run.error_code, run.attempt) == ("FAILED", "LEASE_EXPIRED", MAX_LOST_CLAIMS + 1)


def test_a_lease_that_ends_after_a_report_uses_a_retry() -> None:
    run = made()
    for status in ("READY", "FAILED"):
        lease = run.claim(NOW, 60)
        run.report(report("RUNNING", run.attempt), lease, Retries(1, 0), NOW)
        run.lose_lease(lease, Retries(1, 0), NOW)
        assert run.status == status


@pytest.mark.parametrize("hold", [True, False])
def test_a_run_that_waits_is_cancelled_at_once(hold: bool) -> None:
    run = made(hold)
    run.cancel("MB2", NOW)
    run.cancel("MB3", NOW + SECOND)

    assert (run.status, run.finished_at, run.cancel_requested_by_id) == ("CANCELLED", NOW, "MB2")
    with pytest.raises(RunFinished):
        run.release(NOW)


def test_a_running_one_is_asked_to_stop_and_not_retried() -> None:
    run, other, third = made(), made(), made()
    leases = [each.claim(NOW, 60) for each in (run, other, third)]
    for each in (run, other, third):
        each.cancel("MB2", NOW)
        assert (each.status, each.cancel_requested_at) == ("RUNNING", NOW)
    run.report(report("CANCELLED"), leases[0], Retries(1, 0), NOW)
    other.report(report("FAILED"), leases[1], Retries(1, 0), NOW)
    third.lose_lease(leases[2], Retries(1, 0), NOW)

    assert [each.status for each in (run, other, third)] == ["CANCELLED", "FAILED", "CANCELLED"]


def test_only_a_finished_run_can_be_deleted() -> None:
    run = made()
    with pytest.raises(RunNotFinished):
        run.refuse_deletion()
    run.cancel("MB1", NOW)
    run.refuse_deletion()


@pytest.mark.parametrize("status", [each for each in JobRunStatus if each is not JobRunStatus.RUNNING])
def test_only_a_running_run_loses_its_lease(status: JobRunStatus) -> None:
    run = made()
    lease = run.claim(NOW, 60)
    run.status = status

    with pytest.raises(ValueError, match=status):
        run.lose_lease(lease, NO_RETRIES, NOW)
    assert run.status is status
