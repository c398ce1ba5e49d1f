"""The root fields of subscriptions: each is read once for each event that is delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mainsheet.models.event import Event
from mainsheet.resolvers import event, job_list
from mainsheet.resolvers.event_filter import NO_FILTER, EventFilter
from mainsheet.resolvers.job_filter import JobFilter
from mainsheet.resolvers.job_list import JobListArguments, JobSortField
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.snapshot import Read

NO_EVENT = ""


@dataclass(frozen=True)
class Delivery:
    """The root of a subscription's operation: one event. With `NO_EVENT`, the operation raises `Subscribed`."""

    event_id: str


@dataclass(frozen=True)
class Source:
    """The events that a subscription delivers. `after` is a cursor, or None for those from now on."""

    filter: EventFilter
    after: str | None
    jobs: JobFilter | None = None  # deliver changes of jobs, and whether they match this filter

    @property
    def of_jobs(self) -> bool:
        return self.jobs is not None


class Subscribed(Exception):
    """Tells the server the arguments of the root field, which the executor has converted and checked."""

    def __init__(self, source: Source) -> None:
        self.source = source
        super().__init__(source)


@dataclass(frozen=True)
class JobChange:
    job_id: str
    is_removed: bool
    cursor: str


async def events(read: Read, event_ids: Sequence[str], source: Source) -> Mapping[str, Event]:
    _tell(event_ids, source)
    found = await event.open_by_ids(read, event_ids)
    others = [each for each in event_ids if each not in found]
    return {**found, **await event.by_ids(read, others)} if others else found


async def jobs(read: Read, event_ids: Sequence[str], source: Source) -> Mapping[str, JobChange]:
    _tell(event_ids, source)
    found = await event.changes_by_ids(read.only(None), event_ids)
    matching = await _matching(read, [each.job_id for each in found.values() if each.job_id], source.jobs)
    return {
        event_id: JobChange(row.job_id, row.job_id not in matching, cursor.encode(Event.position, row.position, row.id))
        for event_id, row in found.items()
        if row.job_id
    }


def _tell(event_ids: Sequence[str], source: Source) -> None:
    """Raise `BadInput` for a wrong cursor, or `Subscribed`, if there is no event."""
    if NO_EVENT in event_ids:
        if source.after is not None:
            cursor.decode(Event.position, source.after)
        raise Subscribed(source)


async def _matching(read: Read, job_ids: Sequence[str], job_filter: JobFilter | None) -> set[str]:
    """Return those of the jobs that the caller sees in the list with this filter. It depends on no other job."""
    wanted = job_filter or JobFilter()
    ids = tuple(each for each in job_ids if wanted.ids is None or each in wanted.ids)
    page = PageArguments(size=len(ids))
    arguments = JobListArguments(page, JobSortField.CREATED_AT, replace(wanted, ids=ids))
    organization_id = read.caller.organization_id
    pages = await job_list.of_organizations(read.only(None).about(ids), [organization_id], arguments)
    return {each.id for each in pages[organization_id].nodes}


NO_SOURCE = Source(NO_FILTER, None)
