from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant_key
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.managed import Managed
from mainsheet.models.search_text import Searched


class Cluster(Managed, Searched, Base):
    """A cluster on which jobs run."""

    __tablename__ = "cluster"
    PREFIX = "CL"

    NOUN = "cluster"
    SEARCHED = ("name", "region")

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    region: Mapped[Name | None]
    status: Mapped[ClusterStatus]

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "name"),
        UniqueConstraint("organization_id", "external_id"),
        Index("ix_cluster_organization_name", "organization_id", "name", "id", unique=True),
        Index("ix_cluster_organization_status", "organization_id", "status", "name", "id"),
    )
