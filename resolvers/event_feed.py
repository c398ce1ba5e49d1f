"""The feed of an organization, with its access paths: how its events are found. All paths give the same events.

| path       | how events are found                                            | when                       |
|------------|-----------------------------------------------------------------|----------------------------|
| `IN_ORDER` | scan the index of the feed, check each event                    | no filter, or times        |
| a column's | merge the first events of each value, by an index of the column | a filter names the values  |
| `TEAMS`    | scan the first 3,000, else the index of teams                   | `teamIds`, on PostgreSQL   |

A job's events aren't in the order of the feed in any index, so all of them are sorted.

A range of times is turned into one of positions first (`event_days.py`).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sqlalchemy import ColumnElement, ScalarSelect, Select, String, func, literal, select, type_coerce

from mainsheet.models.event import DIGITS, Event
from mainsheet.models.feed import Feed
from mainsheet.resolvers import event_filter
from mainsheet.resolvers.event_visibility import sees_change, sees_event
from mainsheet.resolvers.sql.pagination.merged import MergedByValue
from mainsheet.resolvers.sql.pagination.paged_list import PagedList
from mainsheet.resolvers.sql.pagination.scan_then_index import ScanThenIndex
from mainsheet.resolvers.sql.pagination.slices import SortedRows
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Query, Statement, View, rows_of

COLUMNS = Event.__table__.c
IN_ORDER, TEAMS = "in_order", "team_ids"
# The first of these conditions in a filter has the path. A job or another subject has the fewest events.
MERGED = {
    "subject_ids": Event.subject_id,
    "job_ids": Event.job_id,
    "actions": Event.action,
    "actor_ids": Event.actor_id,
}
PATHS = ("subject_ids", "job_ids", TEAMS, "actions", "actor_ids")
POSITIONS = {"from_position", "to_position"}


def feed_of(read: Read, parameters: Mapping[str, object], *, of_jobs: bool) -> PagedList[Event]:
    """Choose the access path by the conditions."""
    possible = [
        each for each in PATHS if each in parameters and not (each == TEAMS and read.snapshot.database.is_sqlite)
    ]
    return FEEDS[of_jobs, next(iter(possible), IN_ORDER)]


def is_settled(view: View) -> ColumnElement[bool]:
    """Whether no event can be stored before this one any more: all transactions before its own have ended."""
    return literal(value=True) if view.is_sqlite else Event.position < _horizon()


def _horizon() -> ScalarSelect[str]:
    oldest = type_coerce(func.pg_snapshot_xmin(func.pg_current_snapshot()), String).cast(String)
    digits = _digits(Feed.epoch.cast(String), "epoch") + _digits(oldest, "transaction_id")
    return select(digits).scalar_subquery()


def _digits(number: ColumnElement[str], column: str) -> ColumnElement[str]:
    return func.lpad(number, DIGITS[column], "0", type_=String())


@rows_of(Event)
def all_events(view: View, *conditions: str) -> Statement:
    return select(*view.only(COLUMNS)).where(*event_filter.conditions(view, *conditions))


def _in_range(view: View, *conditions: str) -> list[ColumnElement[bool]]:
    """Return the conditions on positions. PostgreSQL begins to scan at one of several bounds, so there is only one."""
    if view.is_sqlite or "to_position" not in conditions:
        return [is_settled(view), *event_filter.conditions(view, *POSITIONS.intersection(conditions))]
    upper: ColumnElement[bool] = Event.position <= func.least(_horizon(), event_filter.TO_POSITION)
    return [upper, *event_filter.conditions(view, *{"from_position"}.intersection(conditions))]


def _settled(view: View, *conditions: str) -> Statement:
    others = [each for each in conditions if each not in POSITIONS]
    return all_events(view, *others).where(*_in_range(view, *conditions))


@rows_of(Event)
def _feed(view: View, *conditions: str) -> Statement:
    return _settled(view, *conditions).where(sees_event(view))


@rows_of(Event)
def _changes(view: View, *conditions: str) -> Statement:
    return _settled(view, *conditions).where(sees_change(view))


def _teams_page_ids(matches: ScanThenIndex, view: View, all_rows: SortedRows, *conditions: str) -> Select[str]:
    """Select the ids of a page. The scan begins in the range of positions."""
    in_range = all_rows.rows.where(*_in_range(view, *conditions))
    others = [each for each in conditions if each not in POSITIONS]
    return matches.page_ids(view, replace(all_rows, rows=in_range), *others)


def _feeds(rows: Query[Event], matches: ScanThenIndex) -> Mapping[str, PagedList[Event]]:
    in_order = PagedList(rows, Event.organization_id, Event.position, Event.id)
    merged = {
        name: replace(in_order, page_ids=MergedByValue(name, column, rows.build).page_ids, rows_by_id=all_events.build)
        for name, column in MERGED.items()
    }
    of_teams = replace(in_order, page_ids=partial(_teams_page_ids, matches), rows_by_id=all_events.build)
    return {IN_ORDER: in_order, **merged, TEAMS: of_teams}


_BY_TEAMS = ScanThenIndex(
    Event,
    event_filter.by_index,
    event_filter.by_row,
    {TEAMS},
    sees_event,
    ("job_id", "only_for_id", "action", "team_ids"),
    reads_on=True,
)
FEEDS = {
    (of_jobs, path): feed
    for of_jobs, rows, sees in ((False, _feed, sees_event), (True, _changes, sees_change))
    for path, feed in _feeds(rows, replace(_BY_TEAMS, visible=sees)).items()
}
