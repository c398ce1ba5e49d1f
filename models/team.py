from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Note, tenant, tenant_key
from mainsheet.models.config_diff import change_of
from mainsheet.models.edit import Edit
from mainsheet.models.event import EventAction
from mainsheet.models.managed import Managed
from mainsheet.models.roles import TeamRole
from mainsheet.models.search_text import Searched


class Team(Managed, Searched, Base):
    """Actors who share jobs."""

    __tablename__ = "team"
    PREFIX = "TM"

    NOUN = "team"
    SEARCHED = ("name", "description")

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    description: Mapped[Note | None]

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "name"),
        UniqueConstraint("organization_id", "external_id"),
        Index("ix_team_organization_name", "organization_id", "name", "id", unique=True),
    )

    def set_member(
        self, action: EventAction, actor_id: str, before: TeamRole | None, after: TeamRole | None, edit: Edit
    ) -> None:
        """Add the event of a role that was set, changed or removed."""
        change = change_of("members", before, after)
        change["path"].append(actor_id)
        edit.record(action, self, self.name, changes=[change])


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
