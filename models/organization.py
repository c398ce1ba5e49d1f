from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, sorted_text
from mainsheet.models.edit import Edit, assign
from mainsheet.models.event import START, EventAction
from mainsheet.models.input_values import value_problems


class Organization(Base):
    """The tenant. Every row belongs to exactly one organization, and refers only to rows of the same one.

    `events_expired_to` is the position of its newest event that was deleted, or START.
    Names needn't be unique: refusing a name that is taken would reveal that another organization has it.
    """

    __tablename__ = "organization"
    PREFIX = "OR"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    events_expired_to: Mapped[str] = mapped_column(sorted_text(len(START)), server_default=START)

    @property
    def organization_id(self) -> str:
        return self.id

    def update(self, values: Mapping[str, Any], edit: Edit) -> None:
        """Change the name, if it is given."""
        edit.problems += value_problems(values)
        edit.refuse()
        if changes := assign(self, values):
            edit.record(EventAction.ORGANIZATION_UPDATED, self, self.name, changes=changes)
