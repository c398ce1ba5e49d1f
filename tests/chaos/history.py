"""Rebuilds the expected state of a job from its history."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mainsheet.models.job_event import JobAction, JobEvent
from tests.chaos.ledger import Effect
from tests.chaos.steps import MARK


class Contradiction(Exception):
    """A history event that contradicts the earlier ones."""


@dataclass
class Shape:
    """A job as far as its history tells; versions by number with the mark of their configuration."""

    name: str
    teams: set[str]
    revision: int = 1
    lines: int = 1
    last: int = 1
    current: int = 1
    draft: int | None = None
    versions: dict[int, str] = field(default_factory=dict)
    is_deleted: bool = False


def effect_of(event: JobEvent) -> Effect:
    """Whose line it is."""
    return Effect(event.action, MARKS.get(event.action, _message)(event))


def fold(events: Iterable[JobEvent], team_id: str) -> Shape | None:
    """Apply the events in order to a job of the team. Returns its state, or None if it is deleted."""
    first, *others = events
    _hold(first.action is JobAction.JOB_CREATED and first.sequence == 1, first)
    shape = Shape(first.job_key, {team_id}, versions={1: _mark(first)})
    for event in others:
        _hold(event.sequence == shape.lines + 1 and not shape.is_deleted, event)
        shape.lines += 1
        shape.revision += event.action is not JobAction.DRAFT_UPDATED
        STEPS[event.action](shape, event)
    return None if shape.is_deleted else shape


def _name(shape: Shape, event: JobEvent) -> None:
    shape.name = _message(event)


def _draft(shape: Shape, event: JobEvent) -> None:
    _hold(event.from_version == shape.current, event)
    _begin(shape, event)
    shape.draft = event.to_version


def _change_draft(shape: Shape, event: JobEvent) -> None:
    _hold(event.to_version == shape.draft, event)
    shape.versions[event.to_version or 0] = _mark(event)


def _discard(shape: Shape, event: JobEvent) -> None:
    _hold(event.from_version == shape.draft, event)
    del shape.versions[event.from_version or 0]
    shape.draft = None


def _publish(shape: Shape, event: JobEvent) -> None:
    _hold(event.to_version == shape.draft, event)
    shape.draft = None
    _move(shape, event)


def _create(shape: Shape, event: JobEvent) -> None:
    _begin(shape, event)
    _move(shape, event)


def _begin(shape: Shape, event: JobEvent) -> None:
    """Begin a draft: numbers are never reused, and there is at most one draft."""
    _hold(shape.draft is None and event.to_version == shape.last + 1, event)
    shape.last += 1
    shape.versions[shape.last] = _mark(event)


def _move(shape: Shape, event: JobEvent) -> None:
    _hold(event.from_version == shape.current and shape.draft is None and event.to_version in shape.versions, event)
    shape.current = event.to_version or 0


def _add_team(shape: Shape, event: JobEvent) -> None:
    shape.teams.add(event.changes[0]["after"])


def _remove_team(shape: Shape, event: JobEvent) -> None:
    shape.teams.remove(event.changes[0]["before"])


def _delete(shape: Shape, event: JobEvent) -> None:
    _hold(event.from_version == shape.current, event)
    shape.is_deleted = True


def _hold(is_so: bool, event: JobEvent) -> None:
    if not is_so:
        names = ("job_id", "sequence", "action", "from_version", "to_version", "message")
        raise Contradiction(" ".join(str(getattr(event, name)) for name in names))


def _message(event: JobEvent) -> str:
    return event.message or ""


def _mark(event: JobEvent) -> str:
    return next((str(each["after"]) for each in event.changes if each["path"] == ["environment", MARK]), "")


STEPS: Mapping[JobAction, Callable[[Shape, JobEvent], None]] = {
    JobAction.JOB_UPDATED: _name,
    JobAction.JOB_DELETED: _delete,
    JobAction.DRAFT_CREATED: _draft,
    JobAction.DRAFT_UPDATED: _change_draft,
    JobAction.DRAFT_DISCARDED: _discard,
    JobAction.DRAFT_PUBLISHED: _publish,
    JobAction.VERSION_CREATED: _create,
    JobAction.VERSION_ACTIVATED: _move,
    JobAction.TEAMS_ADDED: _add_team,
    JobAction.TEAM_REMOVED: _remove_team,
}
MARKS: Mapping[JobAction, Callable[[JobEvent], str]] = {
    JobAction.JOB_CREATED: lambda event: event.job_key,
    JobAction.JOB_DELETED: lambda event: event.job_id,
    JobAction.DRAFT_CREATED: _mark,
    JobAction.DRAFT_UPDATED: _mark,
    JobAction.DRAFT_DISCARDED: lambda event: f"{event.job_id} {event.actor_id}",
    JobAction.TEAMS_ADDED: lambda event: f"{event.job_id} {event.changes[0]['after']}",
    JobAction.TEAM_REMOVED: lambda event: f"{event.job_id} {event.changes[0]['before']}",
}
