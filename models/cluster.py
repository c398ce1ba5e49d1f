from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant_key


class ClusterStatus(StrEnum):
    PENDING = "PENDING"
    PROVISIONING = "PROVISIONING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    DESTROYED = "DESTROYED"


class Cluster(Base):
    """A cluster on which jobs run."""

    __tablename__ = "cluster"
    PREFIX = "CL"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[Name]
    region: Mapped[Name]
    status: Mapped[ClusterStatus]

    __table_args__ = (
        tenant_key(),
        Index("ix_cluster_organization_name", "organization_id", "name", "id", unique=True),
    )
