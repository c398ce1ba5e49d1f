from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from mainsheet.models.config_diff import Change, changes_of
from mainsheet.models.errors import Refused, StaleRevision, UserError
from mainsheet.models.event import Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.input_values import value_problems

Numbers: TypeAlias = tuple[int | None, int | None]  # of the versions before and after an event


class Subject(Protocol):
    """The object that an event is about."""

    @property
    def id(self) -> str: ...

    @property
    def organization_id(self) -> str: ...


@dataclass
class Edit:
    """One change: its author, time and reason, its problems, and the events that it adds."""

    actor_id: str
    at: datetime
    events: list[Event] = field(default_factory=list)
    problems: list[UserError] = field(default_factory=list)
    message: str | None = None

    def explain(self, message: str | None) -> None:
        """Keep the reason with all events of this change. Add a problem if it exceeds its limits."""
        self.problems += value_problems({"message": message})
        self.message = message

    def refuse(self) -> None:
        """Raise `Refused` with all problems found so far, if any."""
        if self.problems:
            raise Refused(self.problems)

    def expect(self, name: str, what: str, expected: int | None, actual: int) -> None:
        """Add a problem if the input field `name` expects another value than the actual one. `None` expects nothing."""
        if expected is not None and expected != actual:
            self.problems.append(StaleRevision(path=(name,), what=what, expected=expected, actual=actual))

    def has_missed(self, expectation: str) -> bool:
        """Return whether the caller expected a state other than the actual one.

        Problems of the actual state aren't reported then: the caller hasn't seen it and has to read it first.
        """
        return any(isinstance(each, StaleRevision) and each.path == (expectation,) for each in self.problems)

    def record(
        self,
        action: EventAction,
        subject: Subject,
        label: str,
        *,
        job_id: str | None = None,
        team_ids: Sequence[str] = (),
        only_for_id: str | None = None,
        versions: Numbers = (None, None),
        message: str | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        """Add an event about the subject, which people recognize by the label.

        An event about a job, or a run of one, has the job's id and the teams with access to it; who sees the job sees
        the event. All members see other events, unless `only_for_id` is an actor's id, or the organization's: then
        only this actor does, and those who see all jobs.
        """
        event = Event(
            id=new_id(Event.PREFIX, self.at),
            organization_id=subject.organization_id,
            action=action,
            actor_id=self.actor_id,
            occurred_at=self.at,
            subject_id=subject.id,
            subject_label=label,
            job_id=job_id,
            team_ids=list(team_ids),
            only_for_id=only_for_id,
            from_version_number=versions[0],
            to_version_number=versions[1],
            message=self.message if message is None else message,
            changes=list(changes),
        )
        self.events.append(event)


def assign(row: object, values: Mapping[str, Any]) -> list[Change]:
    """Set the attributes of a row and return the changes. Equal values change nothing."""
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    return [each for name in values for each in changes_of(name, before[name], getattr(row, name))]
