from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, tenant


class RunLease(Base):
    """A worker's right to report on a run, until it expires.

    A table of its own, because workers renew leases often: its rows are narrow, and no index has what is renewed.
    """

    __tablename__ = "run_lease"

    run_id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    attempt: Mapped[int]
    expires_at: Mapped[datetime]
    has_reported: Mapped[bool]

    __table_args__ = (tenant("run_id", "job_run", ondelete="CASCADE"), {"postgresql_with": {"fillfactor": 50}})
