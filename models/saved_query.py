from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant_key


class SavedQuery(Base):
    """SQL text that jobs share. It is read when the job runs."""

    __tablename__ = "saved_query"
    PREFIX = "SQ"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[Name]
    text: Mapped[str] = mapped_column(String(8191))

    __table_args__ = (
        tenant_key(),
        Index("ix_saved_query_organization_name", "organization_id", "name", "id", unique=True),
    )
