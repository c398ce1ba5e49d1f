from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name
from mainsheet.models.edit import Edit
from mainsheet.models.job_input import value_problems


class Organization(Base):
    """The tenant: every row belongs to exactly one, nothing crosses it.

    Names may be equal: to refuse one that another organization has would tell that there is such an organization.
    """

    __tablename__ = "organization"
    PREFIX = "OR"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]

    def update(self, values: Mapping[str, Any], edit: Edit) -> None:
        """Change the name, if it is given."""
        edit.problems += value_problems(values)
        edit.refuse()
        for name, value in values.items():
            setattr(self, name, value)
