"""The conditions of a list of events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, bindparam, column, func, select

from mainsheet.models.base import UtcDateTime
from mainsheet.models.event import Event, EventAction
from mainsheet.resolvers.sql.array_param import TextArray, among
from mainsheet.resolvers.sql.statement import View


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """The conditions that a listed event must match. `None` is no condition; an empty tuple matches nothing."""

    actions: tuple[EventAction, ...] | None = None
    job_ids: tuple[str, ...] | None = None
    subject_ids: tuple[str, ...] | None = None
    actor_ids: tuple[str, ...] | None = None
    team_ids: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    to_position: str | None = None


NO_FILTER = EventFilter()


def parameters(event_filter: EventFilter) -> Mapping[str, object]:
    """Return the values of the conditions by name."""
    return {name: value for name, value in vars(event_filter).items() if value is not None}


def conditions(view: View, *names: str) -> list[ColumnElement[bool]]:
    """Return the conditions with these names. Each has a parameter of the same name."""
    return [CONDITIONS[name](view, name) for name in names]


def _is_any_team(view: View, name: str) -> ColumnElement[bool]:
    """Whether one of the teams had access to the job."""
    wanted = bindparam(name, type_=TextArray())
    if not view.is_sqlite:
        return func.jsonb_exists_any(Event.team_ids, wanted)
    had = func.json_each(Event.team_ids).table_valued("value", name="had")
    return select(had.c.value).where(among(column("value", _selectable=had), wanted)).exists()


CONDITIONS: Mapping[str, Callable[[View, str], ColumnElement[bool]]] = {
    "actions": lambda _, name: among(Event.action, bindparam(name, type_=TextArray())),
    "job_ids": lambda _, name: among(Event.job_id, bindparam(name, type_=TextArray())),
    "subject_ids": lambda _, name: among(Event.subject_id, bindparam(name, type_=TextArray())),
    "actor_ids": lambda _, name: among(Event.actor_id, bindparam(name, type_=TextArray())),
    "team_ids": _is_any_team,
    "since": lambda _, name: Event.occurred_at >= bindparam(name, type_=UtcDateTime()),
    "until": lambda _, name: Event.occurred_at < bindparam(name, type_=UtcDateTime()),
    "to_position": lambda _, name: Event.position <= bindparam(name, type_=String()),
}
