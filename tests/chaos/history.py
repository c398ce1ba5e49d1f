"""Rebuilds the expected state of a job from its history."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mainsheet.models.event import Event, EventAction
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


def effect_of(event: Event) -> Effect:
    """Whose line it is."""
    return Effect(event.action, MARKS.get(event.action, _message)(event))


def fold(events: Iterable[Event], team_id: str) -> Shape | None:
    """Apply the events in order to a job of the team. Returns its state, or None if it is deleted."""
    first, *others = events
    _hold(first.action is EventAction.JOB_CREATED, first)
    shape = Shape(first.subject_label, {team_id}, versions={1: _mark(first)})
    for event in others:
        _hold(not shape.is_deleted, event)
        shape.lines += 1
        shape.revision += event.action is not EventAction.DRAFT_UPDATED
        STEPS[event.action](shape, event)
    return None if shape.is_deleted else shape


def _name(shape: Shape, event: Event) -> None:
    shape.name = _message(event)


def _draft(shape: Shape, event: Event) -> None:
    _hold(event.from_version_number == shape.current, event)
    _begin(shape, event)
    shape.draft = event.to_version_number


def _change_draft(shape: Shape, event: Event) -> None:
    _hold(event.to_version_number == shape.draft, event)
    shape.versions[event.to_version_number or 0] = _mark(event)


def _discard(shape: Shape, event: Event) -> None:
    _hold(event.from_version_number == shape.draft, event)
    del shape.versions[event.from_version_number or 0]
    shape.draft = None


def _publish(shape: Shape, event: Event) -> None:
    _hold(event.to_version_number == shape.draft, event)
    shape.draft = None
    _move(shape, event)


def _create(shape: Shape, event: Event) -> None:
    _begin(shape, event)
    _move(shape, event)


def _begin(shape: Shape, event: Event) -> None:
    """Begin a draft: numbers are never reused, and there is at most one draft."""
    _hold(shape.draft is None and event.to_version_number == shape.last + 1, event)
    shape.last += 1
    shape.versions[shape.last] = _mark(event)


def _move(shape: Shape, event: Event) -> None:
    _hold(
        event.from_version_number == shape.current
        and shape.draft is None
        and event.to_version_number in shape.versions,
        event,
    )
    shape.current = event.to_version_number or 0


def _add_team(shape: Shape, event: Event) -> None:
    shape.teams.add(event.changes[0]["after"])


def _remove_team(shape: Shape, event: Event) -> None:
    shape.teams.remove(event.changes[0]["before"])


def _delete(shape: Shape, event: Event) -> None:
    _hold(event.from_version_number == shape.current, event)
    shape.is_deleted = True


def _hold(is_so: bool, event: Event) -> None:
    if not is_so:
        names = ("job_id", "number", "action", "from_version_number", "to_version_number", "message")
        raise Contradiction(" ".join(str(getattr(event, name)) for name in names))


def _message(event: Event) -> str:
    return event.message or ""


def _mark(event: Event) -> str:
    return next((str(each["after"]) for each in event.changes if each["path"] == ["environment", MARK]), "")


STEPS: Mapping[EventAction, Callable[[Shape, Event], None]] = {
    EventAction.JOB_UPDATED: _name,
    EventAction.JOB_DELETED: _delete,
    EventAction.DRAFT_CREATED: _draft,
    EventAction.DRAFT_UPDATED: _change_draft,
    EventAction.DRAFT_DISCARDED: _discard,
    EventAction.DRAFT_PUBLISHED: _publish,
    EventAction.VERSION_CREATED: _create,
    EventAction.VERSION_ACTIVATED: _move,
    EventAction.TEAMS_ADDED_TO_JOB: _add_team,
    EventAction.TEAM_REMOVED_FROM_JOB: _remove_team,
}
MARKS: Mapping[EventAction, Callable[[Event], str]] = {
    EventAction.JOB_CREATED: lambda event: event.subject_label,
    EventAction.JOB_DELETED: lambda event: event.subject_id,
    EventAction.DRAFT_CREATED: _mark,
    EventAction.DRAFT_UPDATED: _mark,
    EventAction.DRAFT_DISCARDED: lambda event: f"{event.job_id} {event.actor_id}",
    EventAction.TEAMS_ADDED_TO_JOB: lambda event: f"{event.job_id} {event.changes[0]['after']}",
    EventAction.TEAM_REMOVED_FROM_JOB: lambda event: f"{event.job_id} {event.changes[0]['before']}",
}
