from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, Note, tenant, tenant_key
from mainsheet.models.roles import TeamRole


class Team(Base):
    """A group of members who share jobs."""

    __tablename__ = "team"
    PREFIX = "TM"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[Name]
    description: Mapped[Note | None]

    __table_args__ = (
        tenant_key(),
        Index("ix_team_organization_name", "organization_id", "name", "id", unique=True),
    )


class TeamMember(Base):
    __tablename__ = "team_member"

    organization_id: Mapped[Id]
    team_id: Mapped[Id] = mapped_column(primary_key=True)
    member_id: Mapped[Id] = mapped_column(primary_key=True)
    role: Mapped[TeamRole]

    __table_args__ = (
        tenant("team_id", "team", ondelete="CASCADE"),
        tenant("member_id", "member", ondelete="CASCADE"),
        Index("ix_team_member_member", "member_id", "team_id", "role"),
    )
