from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mainsheet.models.base import Base, Id, sorted_text, tenant, tenant_key
from mainsheet.models.edit import Edit

if TYPE_CHECKING:
    from mainsheet.models.job import Job


class DeletedJob(Base):
    """What is kept of a deleted job: its id, its key, and the teams that had access.

    Versions and events of other jobs may refer to it. For a job that release 0.1.0 deleted, `id` is a new one, and
    `job_key` and `deleted_at` are null: that release removed the job's id from the versions.
    """

    __tablename__ = "deleted_job"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    job_key: Mapped[str | None] = mapped_column(sorted_text(100))
    deleted_at: Mapped[datetime | None]

    teams: Mapped[list["DeletedJobTeam"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    __table_args__ = (tenant_key(),)

    @classmethod
    def of(cls, job: "Job", edit: Edit) -> "DeletedJob":
        teams = [DeletedJobTeam(organization_id=job.organization_id, team_id=each.team_id) for each in job.teams]
        return cls(id=job.id, organization_id=job.organization_id, job_key=job.job_key, deleted_at=edit.at, teams=teams)


class DeletedJobTeam(Base):
    """A team that had access to a job when the job was deleted."""

    __tablename__ = "deleted_job_team"

    organization_id: Mapped[Id]
    deleted_job_id: Mapped[Id] = mapped_column(primary_key=True)
    team_id: Mapped[Id] = mapped_column(primary_key=True)

    __table_args__ = (
        tenant("deleted_job_id", "deleted_job", ondelete="CASCADE"),
        tenant("team_id", "team", ondelete="CASCADE"),
        Index("ix_deleted_job_team_team", "team_id"),
    )
