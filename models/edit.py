from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.ids import new_id
from models.job_event import JobAction, JobEvent

if TYPE_CHECKING:
    from models.job import Job


@dataclass
class Edit:
    """Who changes something, when, and the history lines that come of it."""

    member_id: str
    at: datetime
    events: list[JobEvent] = field(default_factory=list)

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
