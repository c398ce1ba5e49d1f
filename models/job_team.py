from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, tenant
from mainsheet.models.edit import Edit

if TYPE_CHECKING:
    from mainsheet.models.job import Job


class JobTeam(Base):
    """A grant: a team's access to a job.

    `job_created_at` is the job's, which never changes. With it, an index has each team's jobs in the order of lists.
    """

    __tablename__ = "job_team"

    organization_id: Mapped[Id]
    job_id: Mapped[Id] = mapped_column(primary_key=True)
    team_id: Mapped[Id] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[Id]
    job_created_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "job_created_at", "job_id"],
            ["job.organization_id", "job.created_at", "job.id"],
            ondelete="CASCADE",
        ),
        tenant("team_id", "team"),
        tenant("granted_by_id", "actor"),
        Index("ix_job_team_team", "team_id", "job_created_at", "job_id"),
        Index("ix_job_team_granted_by", "granted_by_id"),  # is read when an actor is deleted with its organization
    )

    @classmethod
    def grant_all(cls, job: "Job", team_ids: Sequence[str], edit: Edit) -> list[str]:
        """Grant access to the teams that don't have it. Return their ids."""
        has = {each.team_id for each in job.teams}
        new = [team_id for team_id in dict.fromkeys(team_ids) if team_id not in has]
        of_job = {"organization_id": job.organization_id, "job_created_at": job.created_at}
        values = {**of_job, "granted_at": edit.at, "granted_by_id": edit.actor_id}
        job.teams += [cls(team_id=team_id, **values) for team_id in new]
        return new
