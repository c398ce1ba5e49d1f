from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.errors import Problems, StaleRevision
from models.ids import new_id
from models.job_event import JobAction, JobEvent

if TYPE_CHECKING:
    from models.job import Job


@dataclass
class Edit:
    """Who changes something, when, what is wrong with it, and the history lines that come of it."""

    member_id: str
    at: datetime
    events: list[JobEvent] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)

    def has_missed(self, expectation: str) -> bool:
        """Whether the caller expected another state than there is.

        What is wrong with that state and not with their input isn't told: they never saw it, and have to look first.
        """
        return any(isinstance(each, StaleRevision) and each.path == (expectation,) for each in self.problems)

    def record(self, job: "Job", action: JobAction, **line: Any) -> None:
        """Write the next line of the job's history; `line` holds versions, message and changes."""
        event = JobEvent(
            id=new_id(JobEvent.PREFIX, self.at),
            organization_id=job.organization_id,
            job_id=job.id,
            job_key=job.job_key,
            sequence=job.event_count,
            action=action,
            actor_id=self.member_id,
            occurred_at=self.at,
            **line,
        )
        self.events.append(event)
