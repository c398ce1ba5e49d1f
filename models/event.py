from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Computed, Enum, Identity, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Json, Note, sorted_text, tenant


class EventAction(StrEnum):
    JOB_CREATED = "JOB_CREATED"
    JOB_UPDATED = "JOB_UPDATED"
    JOB_DELETED = "JOB_DELETED"
    DRAFT_CREATED = "DRAFT_CREATED"
    DRAFT_UPDATED = "DRAFT_UPDATED"
    DRAFT_DISCARDED = "DRAFT_DISCARDED"
    DRAFT_PUBLISHED = "DRAFT_PUBLISHED"
    VERSION_CREATED = "VERSION_CREATED"
    VERSION_ACTIVATED = "VERSION_ACTIVATED"
    TEAMS_ADDED_TO_JOB = "TEAMS_ADDED_TO_JOB"
    TEAM_REMOVED_FROM_JOB = "TEAM_REMOVED_FROM_JOB"
    RUN_TRIGGERED = "RUN_TRIGGERED"
    RUN_RELEASED = "RUN_RELEASED"
    RUN_STARTED = "RUN_STARTED"
    RUN_RETRIED = "RUN_RETRIED"
    RUN_CANCEL_REQUESTED = "RUN_CANCEL_REQUESTED"
    RUN_FINISHED = "RUN_FINISHED"
    RUN_DELETED = "RUN_DELETED"
    ORGANIZATION_UPDATED = "ORGANIZATION_UPDATED"
    TEAM_CREATED = "TEAM_CREATED"
    TEAM_UPDATED = "TEAM_UPDATED"
    TEAM_DELETED = "TEAM_DELETED"
    TEAM_ROLE_SET = "TEAM_ROLE_SET"
    TEAM_ROLE_REMOVED = "TEAM_ROLE_REMOVED"
    CLUSTER_CREATED = "CLUSTER_CREATED"
    CLUSTER_UPDATED = "CLUSTER_UPDATED"
    CLUSTER_DELETED = "CLUSTER_DELETED"
    SAVED_QUERY_CREATED = "SAVED_QUERY_CREATED"
    SAVED_QUERY_UPDATED = "SAVED_QUERY_UPDATED"
    SAVED_QUERY_DELETED = "SAVED_QUERY_DELETED"
    MEMBER_CREATED = "MEMBER_CREATED"
    MEMBER_UPDATED = "MEMBER_UPDATED"
    MEMBER_DISABLED = "MEMBER_DISABLED"
    MEMBER_ENABLED = "MEMBER_ENABLED"
    SERVICE_ACCOUNT_CREATED = "SERVICE_ACCOUNT_CREATED"
    SERVICE_ACCOUNT_UPDATED = "SERVICE_ACCOUNT_UPDATED"
    SERVICE_ACCOUNT_DISABLED = "SERVICE_ACCOUNT_DISABLED"
    SERVICE_ACCOUNT_ENABLED = "SERVICE_ACCOUNT_ENABLED"
    TOKEN_CREATED = "TOKEN_CREATED"  # noqa: S105 an action
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 an action
    MEMBER_ERASED = "MEMBER_ERASED"
    WEBHOOK_CREATED = "WEBHOOK_CREATED"
    WEBHOOK_UPDATED = "WEBHOOK_UPDATED"
    WEBHOOK_DELETED = "WEBHOOK_DELETED"
    WEBHOOK_DISABLED = "WEBHOOK_DISABLED"
    WEBHOOK_SECRET_ROTATED = "WEBHOOK_SECRET_ROTATED"  # noqa: S105 an action
    WEBHOOK_TESTED = "WEBHOOK_TESTED"
    WEBHOOK_REDELIVERED = "WEBHOOK_REDELIVERED"


ROLE_CHANGES = (EventAction.TEAM_ROLE_SET, EventAction.TEAM_ROLE_REMOVED)
BIG = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER can be SQLite's autoincrementing key
DIGITS = {"epoch": 4, "transaction_id": 16, "number": 16}
START = "0" * sum(DIGITS.values())  # before all positions


def _padded(column: str) -> str:
    """Return an SQL expression, for both databases, that sorts as a text like the column does as a number."""
    digits = f"CAST({column} AS TEXT)"
    return f"substr('{'0' * DIGITS[column]}' || {digits}, length({digits}) + 1)"


POSITION = " || ".join(map(_padded, DIGITS))


class Event(Base):
    """A change in an organization's history. Append-only. It outlives its subject: `subject_id` is no foreign key.

    `position` orders the feed (decision 26): the epoch, the transaction and the number, as one text. The database sets
    these four. `job_id` and `team_ids` are the job that the event is about and the teams that had access to it then.
    If `only_for_id` is set, only this actor sees the event, and those who see all jobs.
    """

    __tablename__ = "event"
    PREFIX = "EV"

    number: Mapped[int] = mapped_column(BIG, Identity(), primary_key=True)
    id: Mapped[Id]
    organization_id: Mapped[Id]
    epoch: Mapped[int] = mapped_column(server_default=text("1"))
    transaction_id: Mapped[int] = mapped_column(BIG, server_default=text("0"))
    position: Mapped[str] = mapped_column(sorted_text(len(START)), Computed(POSITION, persisted=True))
    action: Mapped[EventAction] = mapped_column(Enum(EventAction, native_enum=False, length=40))
    actor_id: Mapped[Id | None]
    occurred_at: Mapped[datetime]
    subject_id: Mapped[Id]
    subject_label: Mapped[str] = mapped_column(String(255))
    job_id: Mapped[Id | None]
    team_ids: Mapped[list[str]] = mapped_column(Json)
    only_for_id: Mapped[Id | None]
    from_version_number: Mapped[int | None]
    to_version_number: Mapped[int | None]
    message: Mapped[Note | None]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json)

    __table_args__ = (
        tenant("actor_id", "actor"),
        Index("ix_event_id", "id", unique=True),
        Index("ix_event_organization", "organization_id", "position", "id"),
        Index("ix_event_action", "organization_id", "action", "position", "id"),
        Index("ix_event_job", "job_id", "number", "id"),
        Index("ix_event_subject", "subject_id", "position", "id"),
        Index("ix_event_actor", "actor_id", "position", "id"),
        Index(
            "ix_event_only_for",
            "only_for_id",
            postgresql_where=text("only_for_id IS NOT NULL"),
            sqlite_where=text("only_for_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )
