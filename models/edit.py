from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mainsheet.models.config_diff import Change, change_of
from mainsheet.models.errors import Refused, StaleRevision, UserError
from mainsheet.models.ids import new_id
from mainsheet.models.job_event import JobAction, JobEvent

if TYPE_CHECKING:
    from mainsheet.models.job import Job


@dataclass
class Edit:
    """One change: its author and time, its problems, and the history events that it adds."""

    actor_id: str
    at: datetime
    events: list[JobEvent] = field(default_factory=list)
    problems: list[UserError] = field(default_factory=list)

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

    def assign(self, row: object, values: Mapping[str, Any]) -> list[Change]:
        """Set the attributes of a row and return the changes."""
        before = {name: getattr(row, name) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        return [change_of(name, before[name], value) for name, value in values.items() if before[name] != value]

    def changed(self, name: str, before: Any, after: Any) -> Change:
        return change_of(name, before, after)

    def note(self, action: str, subject: object, label: str, **details: Any) -> None:
        """Add an event about an object other than a job."""

    def record(self, job: "Job", action: JobAction, **details: Any) -> None:
        """Add the job's next event. `details` are the versions, message and changes."""
        event = JobEvent(
            id=new_id(JobEvent.PREFIX, self.at),
            organization_id=job.organization_id,
            job_id=job.id,
            job_key=job.job_key,
            sequence=job.event_count,
            action=action,
            actor_id=self.actor_id,
            occurred_at=self.at,
            **details,
        )
        self.events.append(event)
