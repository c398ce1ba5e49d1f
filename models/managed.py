"""Rows that clients change as a whole: actors, teams, clusters and saved queries."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Name
from mainsheet.models.edit import Edit, assign
from mainsheet.models.event import EventAction
from mainsheet.models.input_values import value_problems


class Revised:
    """A row with a revision, which grows by one with each change."""

    NOUN: ClassVar[str]

    id: Any
    organization_id: Any
    name: Mapped[Name]
    revision: Mapped[int] = mapped_column(default=1)

    def begin(self, action: EventAction, values: Mapping[str, Any], edit: Edit, message: str | None) -> None:
        """Set the values of a new row. Raises all problems of the edit."""
        edit.problems += value_problems({**values, "message": message})
        edit.refuse()
        assign(self, values)
        edit.record(action, self, self.name, message=message)

    def end(self, action: EventAction, edit: Edit, expected_revision: int | None, message: str | None) -> None:
        """Add the event of the deletion. Raises all problems of the edit."""
        self.expect(edit, expected_revision)
        edit.problems += value_problems({"message": message})
        edit.refuse()
        edit.record(action, self, self.name, message=message)

    def expect(self, edit: Edit, revision: int | None) -> None:
        edit.expect("expected_revision", f"the {self.NOUN}'s revision", revision, self.revision)

    def change(
        self,
        action: EventAction,
        values: Mapping[str, Any],
        edit: Edit,
        *,
        expected_revision: int | None = None,
        message: str | None = None,
    ) -> None:
        """Change the given values. Equal values change nothing. Raises all problems of the edit."""
        self.expect(edit, expected_revision)
        edit.problems += value_problems({**values, "message": message})
        edit.refuse()
        if changes := assign(self, values):
            self.revision += 1
            edit.record(action, self, self.name, message=message, changes=changes)


class Managed(Revised):
    """A row that another system may provision: `managed_by` names the system, `external_id` is its key of the row."""

    external_id: Mapped[Name | None]
    managed_by: Mapped[Name | None]
