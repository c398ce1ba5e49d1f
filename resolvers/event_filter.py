"""The conditions of a list of events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, String, bindparam, column, func, select

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


SINCE = bindparam("since", type_=UtcDateTime())
UNTIL = bindparam("until", type_=UtcDateTime())
TO_POSITION = bindparam("to_position", type_=String())
Condition = Callable[[bool, type[Event]], ColumnElement[bool]]  # whether it is for SQLite, and the row


NO_FILTER = EventFilter()


def parameters(event_filter: EventFilter) -> Mapping[str, object]:
    """Return the values of the conditions by name."""
    return {name: value for name, value in vars(event_filter).items() if value is not None}


def conditions(view: View, *names: str) -> list[ColumnElement[bool]]:
    """Return the conditions with these names. Each has a parameter of the same name."""
    return [CONDITIONS[name](view.is_sqlite, Event) for name in names]


def by_index(*names: str) -> list[ColumnElement[bool]]:
    """Return the conditions for the indexes of PostgreSQL."""
    return [CONDITIONS[name](False, Event) for name in names]


def by_row(event: type[Event], *names: str) -> list[ColumnElement[bool]]:
    """Return the same conditions for a scan of `event`."""
    return [CONDITIONS[name](False, event) for name in names]


def _texts(name: str) -> BindParameter[Sequence[str]]:
    return bindparam(name, type_=TextArray())


def _is_any_team(is_sqlite: bool, event: type[Event]) -> ColumnElement[bool]:
    """Whether one of the teams had access to the job."""
    wanted = _texts("team_ids")
    if not is_sqlite:
        return event.team_ids.op("?|", is_comparison=True)(wanted)
    had = func.json_each(event.team_ids).table_valued("value", name="had")
    return select(had.c.value).where(among(column("value", _selectable=had), wanted)).exists()


CONDITIONS: Mapping[str, Condition] = {
    "actions": lambda _, event: among(event.action, _texts("actions")),
    "job_ids": lambda _, event: among(event.job_id, _texts("job_ids")),
    "subject_ids": lambda _, event: among(event.subject_id, _texts("subject_ids")),
    "actor_ids": lambda _, event: among(event.actor_id, _texts("actor_ids")),
    "team_ids": _is_any_team,
    "since": lambda _, event: event.occurred_at >= SINCE,
    "until": lambda _, event: event.occurred_at < UNTIL,
    "from_position": lambda _, event: event.position >= bindparam("from_position", type_=String()),
    "to_position": lambda _, event: event.position <= TO_POSITION,
}
