from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, tenant, tenant_key
from mainsheet.models.edit import Edit
from mainsheet.models.event import EventAction
from mainsheet.models.managed import Named
from mainsheet.models.search_text import Searched


class SavedQuery(Named, Searched, Base):
    """SQL text that jobs share. It is read when the job runs.

    Saved queries of release 0.1.0 have no team: administrators change them. Their authors aren't known.
    """

    __tablename__ = "saved_query"
    PREFIX = "SQ"
    NOUN = "saved query"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    sql: Mapped[str] = mapped_column(String(8191))
    team_id: Mapped[Id | None]
    created_at: Mapped[datetime | None]
    created_by_id: Mapped[Id | None]
    updated_at: Mapped[datetime | None]
    updated_by_id: Mapped[Id | None]

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "name"),
        tenant("team_id", "team"),
        tenant("created_by_id", "actor"),
        tenant("updated_by_id", "actor"),
        Index("ix_saved_query_organization_name", "organization_id", "name", "id", unique=True),
        Index("ix_saved_query_team", "team_id"),
    )

    def begin(self, action: EventAction, values: Mapping[str, Any], edit: Edit, message: str | None) -> None:
        super().begin(action, values, edit, message)
        self.created_at, self.created_by_id = edit.at, edit.actor_id
        self.updated_at, self.updated_by_id = edit.at, edit.actor_id

    def change(self, action: EventAction, values: Mapping[str, Any], edit: Edit, **expected: Any) -> None:
        before = self.revision
        super().change(action, values, edit, **expected)
        if self.revision != before:
            self.updated_at, self.updated_by_id = edit.at, edit.actor_id
