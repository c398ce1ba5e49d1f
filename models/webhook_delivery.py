"""The delivery of an event to a webhook, and its life.

| status    | attempt succeeds | attempt fails                  | requested again | webhook is enabled again |
|-----------|------------------|--------------------------------|-----------------|--------------------------|
| PENDING   | SUCCEEDED        | PENDING; FAILED after the last | due at once     |                          |
| SUCCEEDED |                  |                                | PENDING         |                          |
| FAILED    |                  |                                | PENDING         | PENDING                  |
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, sorted_text, tenant
from mainsheet.models.event import START

# Seconds after each failed attempt but the last.
RETRIES = tuple(timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000))
GONE = 410


class WebhookDeliveryStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: the status of the answer, if there was one, and the error, if it failed.

    If it is final, another attempt would fail, too. It is no attempt if there was nothing to send.
    """

    response_status: int | None
    error: str | None = None
    is_final: bool = False
    is_attempt: bool = True


class WebhookDelivery(Base):
    """The delivery of one event, which is no foreign key because events expire.

    `order_key` is the event's job or, without one, its subject: deliveries with the same key are sent in order.
    A requested delivery, which a test or a redelivery is, has one attempt, and no order. The key of a test is its
    event.
    """

    __tablename__ = "webhook_delivery"
    PREFIX = "WD"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    webhook_id: Mapped[Id]
    event_id: Mapped[Id]
    position: Mapped[str] = mapped_column(sorted_text(len(START)))
    order_key: Mapped[Id]
    status: Mapped[WebhookDeliveryStatus]
    is_requested: Mapped[bool]
    attempt: Mapped[int]
    response_status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(255))
    next_attempt_at: Mapped[datetime | None]
    at: Mapped[datetime]

    __table_args__ = (
        tenant("webhook_id", "webhook", ondelete="CASCADE"),
        Index("ix_webhook_delivery_webhook", "webhook_id", "position", "id"),
        Index(
            "ix_webhook_delivery_pending",
            "webhook_id",
            "order_key",
            "position",
            postgresql_where=text("status = 'PENDING'"),
            sqlite_where=text("status = 'PENDING'"),
        ),
        Index("ix_webhook_delivery_at", "at"),
    )

    def end_attempt(self, outcome: Outcome, at: datetime) -> None:
        self.attempt += outcome.is_attempt
        self.at, self.response_status, self.error = at, outcome.response_status, outcome.error
        retries = () if self.is_requested or outcome.is_final else RETRIES[self.attempt - 1 :]
        if outcome.error is None:
            self.status, self.next_attempt_at = WebhookDeliveryStatus.SUCCEEDED, None
        elif retries:
            self.next_attempt_at = at + retries[0]
        else:
            self.status, self.next_attempt_at = WebhookDeliveryStatus.FAILED, None

    def request(self, at: datetime) -> None:
        """Send the delivery again, or at once if it waits for its next attempt."""
        self.is_requested = self.is_requested or self.status is not WebhookDeliveryStatus.PENDING
        self.status, self.next_attempt_at, self.at = WebhookDeliveryStatus.PENDING, at, at
