from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, enum_type, tenant


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


UNFINISHED = (JobRunStatus.PENDING, JobRunStatus.READY, JobRunStatus.RUNNING)


class JobRun(Base):
    """A run of a job. The execution plane writes these rows."""

    __tablename__ = "job_run"
    PREFIX = "JR"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    job_id: Mapped[Id]
    version_number: Mapped[int]
    status: Mapped[JobRunStatus]
    trigger: Mapped[JobRunTrigger] = mapped_column(enum_type(JobRunTrigger, "runtrigger"))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        tenant("job_id", "job", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["job_id", "version_number"],
            ["job_version.job_id", "job_version.number"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_job_run_job_created", "job_id", "created_at", "id"),
    )
