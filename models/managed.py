"""Rows that clients change as a whole: actors, teams, clusters, saved queries and webhooks."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Name
from mainsheet.models.config_diff import Change
from mainsheet.models.edit import Edit, assign
from mainsheet.models.event import EventAction
from mainsheet.models.input_values import value_problems


class Revised:
    """A row with a revision, which grows by one with each change."""

    NOUN: ClassVar[str]

    id: Any
    organization_id: Any
    revision: Mapped[int] = mapped_column(default=1)

    @property
    def label(self) -> str:
        """What people call the row, in its events."""
        raise NotImplementedError

    @property
    def only_for_id(self) -> str | None:
        """The id that limits who sees the row's events, as `Edit.record` takes it."""
        return None

    def begin(self, action: EventAction, values: Mapping[str, Any], edit: Edit, message: str | None) -> None:
        """Set the values of a new row. Raises all problems of the edit."""
        edit.problems += value_problems({**values, "message": message})
        edit.refuse()
        assign(self, values)
        self.record(action, edit, message)

    def end(self, action: EventAction, edit: Edit, expected_revision: int | None, message: str | None) -> None:
        """Add the event of the deletion. Raises all problems of the edit."""
        self.expect(edit, expected_revision)
        edit.problems += value_problems({"message": message})
        edit.refuse()
        self.record(action, edit, message)

    def record(self, action: EventAction, edit: Edit, message: str | None, changes: Sequence[Change] = ()) -> None:
        edit.record(action, self, self.label, only_for_id=self.only_for_id, message=message, changes=changes)

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
            self.record(action, edit, message, changes)


class Named(Revised):
    name: Mapped[Name]

    @property
    def label(self) -> str:
        return self.name


class Managed(Named):
    """A row that another system may provision: `managed_by` names the system, `external_id` is its key of the row."""

    external_id: Mapped[Name | None]
    managed_by: Mapped[Name | None]
