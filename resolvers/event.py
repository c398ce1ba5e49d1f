"""Events: those of one job, and the feed of an organization (decision 26)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import select, true

from mainsheet.models.event import DIGITS, START, Event
from mainsheet.models.failures import failures_named
from mainsheet.models.feed import CursorExpired, Feed, follow_timeline
from mainsheet.models.organization import Organization
from mainsheet.resolvers import event_days, event_filter
from mainsheet.resolvers.event_feed import COLUMNS, all_events, feed_of, is_settled
from mainsheet.resolvers.event_filter import EventFilter
from mainsheet.resolvers.event_visibility import sees_change, sees_event, sees_open_event
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import FilteredList, Page, PagedList, PageRow, page_from
from mainsheet.resolvers.sql.pagination.scan_then_index import NO_OFFSET
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Attribute, Query, Statement, View, rows_of, within

TIMES = ("since", "until")
ID_AND_POSITION = frozenset(("nodes", "position", "job_id", "only_for_id", "end_cursor"))
EXPIRED_TO = Organization.events_expired_to.label("expired_to")


@dataclass(frozen=True)
class EventListArguments:
    page: PageArguments
    filter: EventFilter
    of_jobs: bool = False  # changes of jobs, with those that took the caller's access


class Bounds(NamedTuple):
    epoch: int
    expired_to: str
    newest: str | None


class End(NamedTuple):
    expired_to: str
    id: str | None
    position: str | None


NO_FEED = End(expired_to=START, id=None, position=None)  # of an organization that isn't there


class RecentRow(NamedTuple):
    event: PageRow | None
    end: End


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Event]:
    return await read.keyed(_by_ids, keys=ids)


async def open_by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Event]:
    """Return those events that all callers with the same rights on their jobs see."""
    return await read.about(ids).keyed(_open_by_ids, keys=ids)


async def changes_by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Event]:
    """Return changes of jobs, with those that took the caller's access."""
    return await read.about(ids).keyed(_changes_by_ids, keys=ids)


async def of_jobs(read: Read, job_ids: Sequence[str], arguments: EventListArguments) -> Mapping[str, Page[Event]]:
    """List each job's events. The caller sees the jobs."""
    parameters = event_filter.parameters(arguments.filter)
    return await OF_JOBS.pages(read, job_ids, arguments.page, parameters=parameters)


async def of_organizations(
    read: Read, organization_ids: Sequence[str], arguments: EventListArguments
) -> Mapping[str, Page[Event]]:
    """List the events of the feed that the caller sees. An empty page has the position up to which it was read.

    Raises `CursorExpired` for a cursor after which newer events are read, if some of them were deleted.
    """
    start = _start(arguments.page)
    if start is not None and not _reads_older(arguments.page):
        await _refuse_expired(read, organization_ids, start)
    pages = await _pages(read, organization_ids, arguments)
    reads_on = not (arguments.page.descending or arguments.page.backwards)
    if reads_on and not all(page.nodes for page in pages.values()):
        await _set_read_to(read, pages, arguments.page)
    return pages


async def after_recent(read: Read, organization_id: str, arguments: EventListArguments) -> Page[Event]:
    """List the events after a cursor that an earlier read has returned, by one statement: where and for whom they are.

    An empty page has the position up to which it was read. Raises `CursorExpired` if later events were deleted.
    """
    parameters = event_filter.parameters(arguments.filter)
    feed = feed_of(read, parameters, of_jobs=arguments.of_jobs)
    values = {**feed.values(arguments.page), **parameters}
    read = read.only(ID_AND_POSITION, alone=True)
    rows = await read.rows(Query(_after_recent, RecentRow), feed, *parameters, keys=[organization_id], **values)
    position, end = str(values["at_key"]), rows[0].end if rows else NO_FEED
    if position < end.expired_to:
        raise CursorExpired(cursor.encode(Event.position, end.expired_to, ""))
    events = [row.event for row in rows if row.event is not None]
    page = page_from(FilteredList(feed, parameters), organization_id, arguments.page, events)
    page.read_to = _cursor(end) if _position(_cursor(end)) > position else arguments.page.after
    return page


async def _pages(
    read: Read, organization_ids: Sequence[str], arguments: EventListArguments
) -> Mapping[str, Page[Event]]:
    parameters = event_filter.parameters(arguments.filter)
    feed = feed_of(read, parameters, of_jobs=arguments.of_jobs)
    found: Mapping[str, str] = {}
    times = {name: parameters[name] for name in TIMES if name in parameters}
    if times and len(organization_ids) == 1 and not read.snapshot.database.is_sqlite:
        (found,) = (await event_days.positions(read, organization_ids, times)).values()
    page, bounds = _narrowed(arguments, found)
    pages = await feed.pages(read, organization_ids, page, parameters={**parameters, **bounds})
    whole = FilteredList(feed, parameters)
    return {key: replace(page, filtered_list=whole) for key, page in pages.items()}


def _start(page: PageArguments) -> str | None:
    """Return the cursor at which the page begins."""
    return page.before if page.backwards else page.after


def _reads_older(page: PageArguments) -> bool:
    """Return whether the page has older events than its cursor, and not newer ones."""
    return page.descending != page.backwards


def _narrowed(arguments: EventListArguments, found: Mapping[str, str]) -> tuple[PageArguments, Mapping[str, str]]:
    """Combine positions between which the events are with the cursor and the filter.

    PostgreSQL begins to scan an index at a cursor or at a bound, not at the one that is nearer to the page.
    """
    page, bounds = arguments.page, dict(found)
    highest = [found.get("to_position"), arguments.filter.to_position]
    start = _start(page)
    if _reads_older(page):
        highest.append(None if start is None else _position(start))
    elif start is not None and "from_position" in found:
        first = bounds.pop("from_position")
        start = max(start, cursor.encode(Event.position, first, ""), key=_position)
        page = replace(page, before=start) if page.backwards else replace(page, after=start)
    if known := [each for each in highest if each is not None]:
        bounds["to_position"] = min(known)
    return page, bounds


async def _refuse_expired(read: Read, organization_ids: Sequence[str], start: str) -> None:
    """Raise `CursorExpired` if events after the cursor were deleted, or if the feed ends before it in its epoch."""
    position = _position(start)
    bounds = await read.rows(_bounds, keys=organization_ids)
    if any(_highest(each) < position for each in bounds):
        bounds = await _newest_bounds(read, organization_ids)
    for each in bounds:
        if not each.expired_to <= position <= _highest(each):
            raise CursorExpired(cursor.encode(Event.position, each.expired_to, ""))


def _highest(bounds: Bounds) -> str:
    """Return the highest position that a cursor can have: all those of earlier epochs are before `of_epoch`."""
    of_epoch = f"{bounds.epoch:0{DIGITS['epoch']}}"
    return max(bounds.newest or START, bounds.expired_to, of_epoch)


async def _newest_bounds(read: Read, organization_ids: Sequence[str]) -> list[Bounds]:
    """Return the bounds on the primary now. A replica lags, and nothing may have been written since a failover."""
    with failures_named():
        async with read.snapshot.database.writes.connect() as connection:
            await follow_timeline(connection)
            statement = BOUNDS.where(Organization.id.in_(organization_ids))
            return [Bounds(*row) for row in await connection.execute(statement)]


async def _set_read_to(read: Read, pages: Mapping[str, Page[Event]], arguments: PageArguments) -> None:
    """Set the cursors at the ends of empty pages. The rest of the snapshot has no further event for them.

    A replica's snapshot may end before the cursor, which then stays.
    """
    ends = [await end_of(read, list(pages))] if arguments.size else []
    ends += [arguments.after] if arguments.after is not None else []
    end = max(ends, key=_position, default=None)
    for page in pages.values():
        if not page.nodes:
            page.read_to = end


def _position(encoded: str) -> str:
    return str(cursor.decode(Event.position, encoded)[0])


async def end_of(read: Read, organization_ids: Sequence[str]) -> str:
    """Return the cursor of the end of the feed of the only organization, whether or not the caller sees its events."""
    ends = await read.rows(_end, keys=organization_ids) or [NO_FEED]
    return _cursor(ends[0])


def _cursor(end: End) -> str:
    last = max((end.position or START, end.id or ""), (end.expired_to, ""))
    return cursor.encode(Event.position, *last)


@rows_of(Event)
def _by_ids(view: View) -> Statement:
    own = Event.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Event.id, KEYS), own, sees_event(view))


@rows_of(Event)
def _open_by_ids(view: View) -> Statement:
    own = Event.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Event.id, KEYS), own, sees_open_event(view))


@rows_of(Event)
def _changes_by_ids(view: View) -> Statement:
    own = Event.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Event.id, KEYS), own, sees_change(view))


def _after_recent(view: View, feed: PagedList[Event], *conditions: str) -> Statement:
    """Select a page after a cursor, and the end of the feed in each row. OFFSET makes it read the end once."""
    page = feed.page_of_one(view, False, True, *conditions).subquery("page")
    end = _end(view).offset(NO_OFFSET).subquery("feed_end")
    rows = select(*within("event?", page.c), *within("end", end.c)).join_from(end, page, true(), isouter=True)
    return rows.order_by(page.c.position, page.c.id)


@rows_of(Bounds, key="newest")
def _bounds(_view: View) -> Statement:
    return BOUNDS.where(among(Organization.id, KEYS))


@rows_of(End)
def _end(view: View) -> Statement:
    newest = [
        newest_of_feed(column).where(is_settled(view)).scalar_subquery().label(column.key)
        for column in (Event.id, Event.position)
    ]
    return select(EXPIRED_TO, *newest).where(among(Organization.id, KEYS))


def newest_of_feed(column: Attribute) -> Statement:
    """Select the column of an organization's last event."""
    own = select(column).where(Event.organization_id == Organization.id)
    return own.order_by(Event.position.desc(), Event.id.desc()).limit(1)


BOUNDS: Statement = select(
    select(Feed.epoch).scalar_subquery().label("epoch"),
    EXPIRED_TO,
    newest_of_feed(Event.position).scalar_subquery().label("newest"),
)


OF_JOBS = PagedList(all_events, Event.job_id, Event.number, Event.id, is_indexed=True)
