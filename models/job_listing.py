"""The columns of jobs by which lists filter and sort them."""

from datetime import UTC, datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Id
from mainsheet.models.job_run import JobRun, JobRunStatus
from mainsheet.models.job_version import JobVersion
from mainsheet.models.source import SourceKind

NEVER_RAN = datetime(1970, 1, 1, tzinfo=UTC)  # a sort column has no nulls


class JobListing:
    """Values of a job that are copied from other rows: a join would cost more with each job.

    They describe the current version and the latest run. `search_text` is the folded text that searches compare.
    """

    search_text: Mapped[str] = mapped_column(Text)
    current_cluster_id: Mapped[Id]
    current_source_kind: Mapped[SourceKind]
    is_scheduled: Mapped[bool]
    latest_run_at: Mapped[datetime]
    latest_run_status: Mapped[JobRunStatus | None]

    def list_version(self, version: JobVersion) -> None:
        """Copy what lists need of the current version."""
        self.current_cluster_id = version.cluster_id
        self.current_source_kind = version.source_kind
        self.is_scheduled = version.cron is not None

    def list_run(self, run: JobRun | None) -> None:
        """Copy what lists need of the latest run."""
        self.latest_run_at = run.created_at if run else NEVER_RAN
        self.latest_run_status = run.status if run else None


INDEXES = (
    Index("ix_job_organization_name", "organization_id", "name", "id"),
    Index("ix_job_organization_created", "organization_id", "created_at", "id", unique=True),  # grants refer to it
    # With created_at, what has changed since a moment is sorted by creation without a look at the jobs.
    Index("ix_job_organization_updated", "organization_id", "updated_at", "id", "created_at"),
    Index("ix_job_organization_status", "organization_id", "status", "created_at", "id"),
    Index("ix_job_organization_scheduled", "organization_id", "is_scheduled", "created_at", "id"),
    Index("ix_job_organization_source_kind", "organization_id", "current_source_kind", "created_at", "id"),
    Index("ix_job_organization_latest_run", "organization_id", "latest_run_at", "id"),
    Index("ix_job_organization_latest_run_status", "organization_id", "latest_run_status", "created_at", "id"),
    Index("ix_job_current_cluster", "current_cluster_id", "created_at", "id"),
    Index("ix_job_created_by", "created_by_id"),
    Index("ix_job_updated_by", "updated_by_id"),
)
