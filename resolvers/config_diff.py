"""The changes between versions, and those that events recorded."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased

from mainsheet.models.config_diff import Change, differences
from mainsheet.models.errors import BadInput
from mainsheet.models.event import Event
from mainsheet.models.job_version import JobVersion
from mainsheet.resolvers.config_change import ConfigChange, shown
from mainsheet.resolvers.job_config import configs
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import NUMBER, Statement, View, rows_of
from mainsheet.resolvers.turns import by_turns


async def of_versions(
    read: Read, version_ids: Sequence[str], since: int | None
) -> Mapping[str, list[ConfigChange] | BadInput]:
    """Return the differences from version `since`, or by default from the version that each was based on.

    A version whose job has no version `since` gets an error. The others don't fail with it.
    """
    bases = await _bases(read, version_ids, since)
    compared = version_ids if since is None else [each for each in version_ids if each in bases]
    found = await configs(read, list({*compared, *bases.values()}))
    changes = {
        version_id: differences(found.get(bases.get(version_id, "")), found[version_id])
        async for version_id in by_turns(compared)
    }
    missing = BadInput(f"since: the job has no version {since}.")
    return {**dict.fromkeys(version_ids, missing), **await shown(read, changes)}


async def of_events(read: Read, event_ids: Sequence[str]) -> Mapping[str, list[ConfigChange]]:
    """Return the changes that each event recorded."""
    return await shown(read, {row.id: row.changes for row in await read.rows(_event_changes, keys=event_ids)})


async def of_event_lists(read: Read, lists: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[ConfigChange]]:
    """Return the changes of the events in each list of ids."""
    changes = await of_events(read, list({event_id for ids in lists for event_id in ids}))
    return {ids: [change for event_id in ids for change in changes[event_id]] for ids in lists}


async def _bases(read: Read, version_ids: Sequence[str], since: int | None) -> Mapping[str, str]:
    rows = await read.rows(_base_ids, since is not None, keys=version_ids, number=since)
    return {row.id: row.base_id for row in rows}


class EventChanges(NamedTuple):
    id: str
    changes: list[Change]


@rows_of(EventChanges)
def _event_changes(_view: View) -> Statement:
    return select(Event.id, Event.changes).where(among(Event.id, KEYS))


class BaseId(NamedTuple):
    id: str
    base_id: str


@rows_of(BaseId)
def _base_ids(_view: View, is_since: bool) -> Statement:
    base = aliased(JobVersion)
    number = NUMBER if is_since else JobVersion.based_on_number
    is_its = (base.job_id == JobVersion.job_id) & (base.number == number)
    return select(JobVersion.id, base.id.label("base_id")).join(base, is_its).where(among(JobVersion.id, KEYS))
