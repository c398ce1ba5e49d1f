"""The versions of a job before and after an event."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mainsheet.models.event import Event
from mainsheet.models.job_version import JobVersion
from mainsheet.resolvers import job_version
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Attribute, Statement, View, rows_of


class OfEvent(NamedTuple):
    event_id: str


async def before(read: Read, event_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.about(event_ids).keyed(_before, keys=event_ids)


async def after(read: Read, event_ids: Sequence[str]) -> Mapping[str, JobVersion]:
    return await read.about(event_ids).keyed(_after, keys=event_ids)


@rows_of(JobVersion, OfEvent, key="event_id")
def _before(view: View) -> Statement:
    return _versions(view, Event.from_version_number)


@rows_of(JobVersion, OfEvent, key="event_id")
def _after(view: View) -> Statement:
    return _versions(view, Event.to_version_number)


def _versions(view: View, number: Attribute) -> Statement:
    is_its = (Event.job_id == JobVersion.job_id) & (number == JobVersion.number)
    rows = job_version.with_jobs(view, Event.id.label("event_id")).join(Event, is_its)
    return rows.where(among(Event.id, KEYS), visible(view.caller))
