from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, Note, tenant, tenant_key
from mainsheet.models.roles import TeamRole


class Team(Base):
    """Actors who share jobs."""

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
    """The role of a member or a service account in a team."""

    __tablename__ = "team_member"

    organization_id: Mapped[Id]
    team_id: Mapped[Id] = mapped_column(primary_key=True)
    actor_id: Mapped[Id] = mapped_column(primary_key=True)
    role: Mapped[TeamRole]

    __table_args__ = (
        tenant("team_id", "team", ondelete="CASCADE"),
        tenant("actor_id", "actor", ondelete="CASCADE"),
        Index("ix_team_member_actor", "actor_id", "team_id", "role"),
    )
