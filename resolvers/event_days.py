"""Where the events of a time range are in the feed, on PostgreSQL.

The feed isn't sorted by time: transactions overlap, clocks are set, and databases are restored. So the first and the
last position are looked up for each day of the range, in an index that has the events of each day in the order of the
feed. A page then reads no event before the first of them or after the last.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Date, ScalarSelect, cast, func, literal_column, select, true

from mainsheet.models.event import DIGITS, START, Event
from mainsheet.resolvers import event_filter
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Expression, Statement, View, rows_of

AFTER_ALL = "9" * sum(DIGITS.values())
OWN = among(Event.organization_id, KEYS)
IN_INDEX = Event.position != literal_column("''")  # its condition
ONE: ColumnElement[int] = literal_column("1")


class First(NamedTuple):
    from_position: str | None


class Last(NamedTuple):
    to_position: str | None


async def positions(
    read: Read, organization_ids: Sequence[str], times: Mapping[str, object]
) -> Mapping[str, Mapping[str, str]]:
    """Return the first position of the events between `since` and `until` if there is `since`, the last if `until`.

    They are called `from_position` and `to_position`. If there are no such events, no position is in the range.
    """
    return {each: await _positions(read, each, times) for each in organization_ids}


async def _positions(read: Read, organization_id: str, times: Mapping[str, object]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if "since" in times:
        (first,) = await read.rows(_first, *times, keys=[organization_id], **times)
        found["from_position"] = first.from_position or AFTER_ALL
    if "until" in times:
        (last,) = await read.rows(_last, *times, keys=[organization_id], **times)
        found["to_position"] = last.to_position or START
    return found


@rows_of(First, key="from_position")
def _first(view: View, *times: str) -> Statement:
    days = _days(*times)
    of_day = _position(days.c.day, event_filter.conditions(view, *times), Event.position.asc())
    return select(func.min(of_day).label("from_position")).select_from(days)


@rows_of(Last, key="to_position")
def _last(view: View, *times: str) -> Statement:
    days = _days(*times)
    of_day = _position(days.c.day, event_filter.conditions(view, *times), Event.position.desc())
    return select(func.max(of_day).label("to_position")).select_from(days)


def _day_of(time: Expression) -> ColumnElement[date]:
    """Return the day of a time in UTC, by the expression that the index has."""
    return cast(func.timezone(literal_column("'UTC'"), time), Date)


DAY = _day_of(Event.occurred_at)


def _edge(order: ColumnElement[Any]) -> ScalarSelect[date]:
    """Select the day of the oldest or the newest event."""
    return select(DAY).where(OWN, IN_INDEX).order_by(order).limit(ONE).scalar_subquery()


def _days(*times: str) -> Any:
    """Select all days from the first one to the last one. There are none if it is before the first one."""
    first, last = _edge(DAY.asc()), _edge(DAY.desc())
    ends = select(
        (func.greatest(_day_of(event_filter.SINCE), first) if "since" in times else first).label("first"),
        (func.least(_day_of(event_filter.UNTIL), last) if "until" in times else last).label("last"),
    ).subquery("ends")
    numbers = func.generate_series(literal_column("0"), ends.c.last - ends.c.first)
    number = numbers.table_valued("number", name="numbers").render_derived()
    return select((ends.c.first + number.c.number).label("day")).join_from(ends, number, true()).subquery("days")


def _position(day: ColumnElement[date], times: Sequence[ColumnElement[bool]], order: ColumnElement[Any]) -> Any:
    """Select the first position of the day in this order."""
    rows = select(Event.position).where(OWN, IN_INDEX, day == DAY, *times).order_by(order)
    return rows.limit(ONE).scalar_subquery()
