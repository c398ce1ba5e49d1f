from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name
from mainsheet.models.edit import Edit, assign
from mainsheet.models.event import EventAction
from mainsheet.models.input_values import value_problems


class Organization(Base):
    """The tenant. Every row belongs to exactly one organization, and refers only to rows of the same one.

    Names needn't be unique: refusing a name that is taken would reveal that another organization has it.
    """

    __tablename__ = "organization"
    PREFIX = "OR"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]

    @property
    def organization_id(self) -> str:
        return self.id

    def update(self, values: Mapping[str, Any], edit: Edit) -> None:
        """Change the name, if it is given."""
        edit.problems += value_problems(values)
        edit.refuse()
        if changes := assign(self, values):
            edit.record(EventAction.ORGANIZATION_UPDATED, self, self.name, changes=changes)
