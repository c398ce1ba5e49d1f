from datetime import UTC, datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Name

NEVER_HELD = datetime(2000, 1, 1, tzinfo=UTC)  # when the migration lets the lease expire


class WebhookLease(Base):
    """The right of one process, the holder, to send to all webhooks until it expires. The table has one row."""

    __tablename__ = "webhook_lease"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[Name]
    expires_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"), {"postgresql_with": {"fillfactor": 50}})
