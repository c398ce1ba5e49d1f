from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Json, Name, tenant

KEPT = timedelta(hours=24)


class IdempotencyRecord(Base):
    """The result stored for an actor's idempotency key, for 24 hours."""

    __tablename__ = "idempotency_record"

    organization_id: Mapped[Id]
    actor_id: Mapped[Id] = mapped_column(primary_key=True)
    key: Mapped[Name] = mapped_column(primary_key=True)
    input_digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (tenant("actor_id", "actor", ondelete="CASCADE"),)
