"""Actors: the members and service accounts of an organization."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant_key
from mainsheet.models.managed import Managed
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.search_text import Searched

IS_SERVICE_ACCOUNT = text("kind = 'SERVICE_ACCOUNT'")


class ActorKind(StrEnum):
    MEMBER = "MEMBER"
    SERVICE_ACCOUNT = "SERVICE_ACCOUNT"


class ActorStatus(StrEnum):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class Actor(Managed, Searched, Base):
    """A member or a service account: the author of changes, to which roles and tokens belong."""

    NOUN = "member or service account"

    __tablename__ = "actor"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    kind: Mapped[ActorKind]
    email: Mapped[Name | None]
    organization_role: Mapped[OrganizationRole] = mapped_column(default=OrganizationRole.MEMBER)
    status: Mapped[ActorStatus] = mapped_column(default=ActorStatus.ACTIVE)
    # When the latest JWT was issued whose groups gave the roles, if one did, and a digest of these roles.
    groups_as_of: Mapped[datetime | None]
    groups_digest: Mapped[str | None] = mapped_column(String(64))

    __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012 as SQLAlchemy declares it
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "email"),
        UniqueConstraint("organization_id", "external_id"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("(kind = 'MEMBER') = (email IS NOT NULL)", name="email_of_member"),
        Index("ix_actor_organization_name", "organization_id", "kind", "name", "id"),
        Index("ix_actor_email", "email"),
        Index(
            "uq_actor_service_account_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=IS_SERVICE_ACCOUNT,
            sqlite_where=IS_SERVICE_ACCOUNT,
        ),
    )
