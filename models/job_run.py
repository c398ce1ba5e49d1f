"""A run and its life. Nothing here uses the database: `resolvers` loads and locks the rows.

| status  | release | claim   | report               | cancel    | the lease ends                |
|---------|---------|---------|----------------------|-----------|-------------------------------|
| PENDING | READY   |         | refused              | CANCELLED |                               |
| READY   |         | RUNNING |                      | CANCELLED |                               |
| RUNNING |         |         | finished, or READY   | requested | READY, FAILED or CANCELLED    |

A finished run stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Json, Name, Note, enum_type, tenant, tenant_key
from mainsheet.models.ids import new_id
from mainsheet.models.run_errors import RunFinished, RunLeaseLost, RunNotFinished, RunNotReady
from mainsheet.models.run_lease import RunLease

MAX_LOST_CLAIMS = 10  # claims whose lease ended before any report
LEASE_EXPIRED = "LEASE_EXPIRED"


class JobRunStatus(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class JobRunTrigger(StrEnum):
    MANUAL = "MANUAL"
    SCHEDULE = "SCHEDULE"


class RunReportState(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"

    @property
    def has_error(self) -> bool:
        """Whether an error of the report is kept."""
        return self not in {RunReportState.RUNNING, RunReportState.SUCCEEDED}


UNFINISHED = (JobRunStatus.PENDING, JobRunStatus.READY, JobRunStatus.RUNNING)


@dataclass(frozen=True)
class Retries:
    """How often a version's runs are retried after a failure, and how long after it."""

    maximum: int
    delay_seconds: int


@dataclass(frozen=True)
class RunError:
    message: str
    code: str | None = None
    is_retryable: bool = True


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a worker says about a run that it has claimed."""

    attempt: int
    state: RunReportState
    error: RunError | None = None
    log_url: str | None = None
    progress_percent: int | None = None
    lease_seconds: int = 60


class JobRun(Base):
    """A run of a job.

    `attempt` counts the claims, and is the fencing number of reports. `retries` counts those that were used after a
    failure, `lost_claims` the claims whose lease ended before any report. `cluster_id` is that of the version.
    """

    __tablename__ = "job_run"
    PREFIX = "JR"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    job_id: Mapped[Id]
    version_number: Mapped[int]
    cluster_id: Mapped[Id]
    status: Mapped[JobRunStatus]
    trigger: Mapped[JobRunTrigger] = mapped_column(enum_type(JobRunTrigger, "runtrigger"))
    attempt: Mapped[int] = mapped_column(default=0)
    retries: Mapped[int] = mapped_column(default=0)
    lost_claims: Mapped[int] = mapped_column(default=0)
    parameters: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)
    message: Mapped[Note | None]
    triggered_by_id: Mapped[Id | None]
    progress_percent: Mapped[int | None]
    error_code: Mapped[Name | None]
    error_message: Mapped[Note | None]
    log_url: Mapped[Note | None]
    created_at: Mapped[datetime]
    scheduled_for: Mapped[datetime | None]
    available_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    cancel_requested_by_id: Mapped[Id | None]

    __table_args__ = (
        tenant_key(),
        tenant("job_id", "job", ondelete="CASCADE"),
        tenant("cluster_id", "cluster"),
        tenant("triggered_by_id", "actor"),
        tenant("cancel_requested_by_id", "actor"),
        ForeignKeyConstraint(
            ["job_id", "version_number"],
            ["job_version.job_id", "job_version.number"],
            deferrable=True,
            initially="DEFERRED",
        ),
        UniqueConstraint("job_id", "scheduled_for"),
        Index("ix_job_run_job_created", "job_id", "created_at", "id"),
        Index("ix_job_run_version_created", "job_id", "version_number", "created_at", "id"),
        Index("ix_job_run_cluster_created", "cluster_id", "created_at", "id"),
        Index("ix_job_run_organization_created", "organization_id", "created_at", "id"),
        Index("ix_job_run_organization_status", "organization_id", "status", "created_at", "id"),
        Index(
            "ix_job_run_organization_scheduled",
            "organization_id",
            "scheduled_for",
            postgresql_where=text("scheduled_for IS NOT NULL"),
            sqlite_where=text("scheduled_for IS NOT NULL"),
        ),
        Index(
            "ix_job_run_ready",
            "cluster_id",
            "job_id",
            "available_at",
            "id",
            postgresql_where=text("status = 'READY'"),
            sqlite_where=text("status = 'READY'"),
        ),
    )

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED

    @classmethod
    def manual(
        cls,
        of: Mapping[str, Any],
        actor_id: str,
        at: datetime,
        *,
        after: datetime,
        hold: bool,
        parameters: Sequence[Mapping[str, str]],
        message: str | None,
    ) -> "JobRun":
        """Make a manual run. `of` has the job's and the version's columns; its latest run was created at `after`."""
        run = cls._new(of, at, after, JobRunTrigger.MANUAL, hold)
        run.parameters = [dict(each) for each in parameters]
        run.message, run.triggered_by_id = message, actor_id
        return run

    @classmethod
    def scheduled(
        cls,
        of: Mapping[str, Any],
        at: datetime,
        scheduled_for: datetime,
        *,
        after: datetime,
        hold: bool,
        skip_reason: str | None,
    ) -> "JobRun":
        """Make a run of the schedule. It can be claimed once its time has passed, unless it is skipped or held."""
        run = cls._new(of, at, after, JobRunTrigger.SCHEDULE, hold)
        run.scheduled_for = scheduled_for
        if run.available_at:
            run.available_at = max(at, scheduled_for)
        if skip_reason is not None:
            run.message = skip_reason
            run.finish(JobRunStatus.SKIPPED, at)
        return run

    @classmethod
    def _new(cls, of: Mapping[str, Any], at: datetime, after: datetime, trigger: JobRunTrigger, hold: bool) -> "JobRun":
        """Make a run that is created later than the one before, and available now, even if the clock was set back."""
        status = JobRunStatus.PENDING if hold else JobRunStatus.READY
        available_at, created_at = None if hold else at, max(at, after + datetime.resolution)
        own = {"id": new_id(cls.PREFIX, created_at), "attempt": 0, "retries": 0, "lost_claims": 0}
        return cls(**own, **of, trigger=trigger, status=status, created_at=created_at, available_at=available_at)

    def release(self, at: datetime) -> None:
        """Let a held run be claimed. Releasing it again changes nothing."""
        if self.is_finished:
            raise RunFinished(status=self.status)
        if self.status is JobRunStatus.PENDING:
            self.status = JobRunStatus.READY
            self.available_at = max(at, self.scheduled_for or at)

    def cancel(self, actor_id: str, at: datetime) -> None:
        """Cancel the run, or request it from the worker. Cancelling again changes nothing."""
        if self.is_finished or self.cancel_requested_at:
            return
        self.cancel_requested_at, self.cancel_requested_by_id = at, actor_id
        if self.status is not JobRunStatus.RUNNING:
            self.finish(JobRunStatus.CANCELLED, at)

    def refuse_deletion(self) -> None:
        """Raise `RunNotFinished` if the run can't be deleted yet."""
        if not self.is_finished:
            raise RunNotFinished(status=self.status)

    def claim(self, at: datetime, lease_seconds: int) -> RunLease:
        """Give the run to a worker, for the time of the lease."""
        self.status, self.available_at = JobRunStatus.RUNNING, None
        self.attempt += 1
        return RunLease(
            run_id=self.id,
            organization_id=self.organization_id,
            attempt=self.attempt,
            expires_at=at + timedelta(seconds=lease_seconds),
            has_reported=False,
        )

    def report(self, report: RunReport, lease: RunLease | None, retries: Retries, at: datetime) -> bool:
        """Apply a worker's report. Return whether the worker keeps the lease.

        Raises `RunNotReady` if the run is held, and `RunLeaseLost` if this attempt has no lease.
        """
        if self.status is JobRunStatus.PENDING:
            raise RunNotReady(status=self.status)
        if self.attempt == report.attempt and self.is_finished and self.status == report.state.value:
            return False  # the report was repeated
        if lease is None or lease.attempt != report.attempt or lease.expires_at <= at or self.is_finished:
            raise RunLeaseLost(attempt=self.attempt)
        self.log_url = report.log_url or self.log_url
        if report.progress_percent is not None:
            self.progress_percent = report.progress_percent
        self.started_at = self.started_at or at
        if report.state is RunReportState.RUNNING:
            lease.expires_at = at + timedelta(seconds=report.lease_seconds)
            lease.has_reported = True
            return True
        self._end_attempt(report.error)
        if report.state is RunReportState.FAILED:
            self._retry_or_fail(retries, at, is_retryable=report.error is None or report.error.is_retryable)
        else:
            self.finish(JobRunStatus(report.state), at)
        return False

    def lose_lease(self, lease: RunLease, retries: Retries, at: datetime) -> None:
        """Decide what becomes of a running run whose lease has ended."""
        if self.status is not JobRunStatus.RUNNING:
            raise ValueError(f"The run {self.id} is {self.status}: it has no lease to lose.")
        if self.cancel_requested_at:
            self._end_attempt(None)
            self.finish(JobRunStatus.CANCELLED, at)
            return
        self._end_attempt(RunError("The worker didn't renew its lease.", LEASE_EXPIRED))
        if lease.has_reported:
            self._retry_or_fail(retries, at, is_retryable=True)
        elif self.lost_claims < MAX_LOST_CLAIMS:
            self.lost_claims += 1
            self.status, self.available_at = JobRunStatus.READY, at
        else:
            self.finish(JobRunStatus.FAILED, at)

    def _end_attempt(self, error: RunError | None) -> None:
        """Keep the error of this attempt only: that of an earlier one would be misleading."""
        self.error_code, self.error_message = (error.code, error.message) if error else (None, None)

    def _retry_or_fail(self, retries: Retries, at: datetime, *, is_retryable: bool) -> None:
        if not is_retryable or self.cancel_requested_at or self.retries >= retries.maximum:
            self.finish(JobRunStatus.FAILED, at)
            return
        self.retries += 1
        self.status, self.available_at = JobRunStatus.READY, at + timedelta(seconds=retries.delay_seconds)

    def finish(self, status: JobRunStatus, at: datetime) -> None:
        if status is JobRunStatus.SUCCEEDED:
            self.error_code = self.error_message = None
        self.status, self.finished_at, self.available_at = status, at, None
