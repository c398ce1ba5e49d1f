from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Json, Note, tenant


class JobAction(StrEnum):
    JOB_CREATED = "JOB_CREATED"
    JOB_UPDATED = "JOB_UPDATED"
    JOB_DELETED = "JOB_DELETED"
    DRAFT_CREATED = "DRAFT_CREATED"
    DRAFT_UPDATED = "DRAFT_UPDATED"
    DRAFT_DISCARDED = "DRAFT_DISCARDED"
    DRAFT_PUBLISHED = "DRAFT_PUBLISHED"
    VERSION_CREATED = "VERSION_CREATED"
    VERSION_ACTIVATED = "VERSION_ACTIVATED"
    TEAMS_ADDED = "TEAMS_ADDED"
    TEAM_REMOVED = "TEAM_REMOVED"


class JobEvent(Base):
    """An entry of a job's history. Append-only. It outlives its job, so `job_id` is not a foreign key.

    `sequence` counts a job's events from 1 under the job's lock, so that the order doesn't depend on clocks.
    """

    __tablename__ = "job_event"
    PREFIX = "JE"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    job_id: Mapped[Id]
    sequence: Mapped[int]
    job_key: Mapped[str] = mapped_column(String(100))
    action: Mapped[JobAction]
    actor_id: Mapped[Id]
    occurred_at: Mapped[datetime]
    from_version: Mapped[int | None]
    to_version: Mapped[int | None]
    message: Mapped[Note | None]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json)

    __table_args__ = (
        tenant("actor_id", "actor"),
        UniqueConstraint("job_id", "sequence"),
        Index("ix_job_event_organization", "organization_id", "id"),
    )
