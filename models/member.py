from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant_key
from mainsheet.models.roles import OrganizationRole


def stored_email(email: str) -> str:
    """Return the email address in lower case, as it is stored.

    Only ASCII letters are changed: the lower case of the Kelvin sign is k, which would be another person's mailbox.
    """
    return email.lower() if email.isascii() else email


class Member(Base):
    """A person in one organization. Emails are unique across organizations."""

    __tablename__ = "member"
    PREFIX = "MB"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[Name]
    email: Mapped[Name] = mapped_column(unique=True)
    organization_role: Mapped[OrganizationRole] = mapped_column(default=OrganizationRole.MEMBER)

    __table_args__ = (
        tenant_key(),
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_member_organization_name", "organization_id", "name", "id"),
    )
