"""Fire times and descriptions of schedules. They need no statement but CPU time, so they yield to other tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mainsheet.models.schedule import Schedule, describe
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.turns import by_turns


@dataclass(frozen=True)
class Preview:
    """The number of fire times to compute, and the time after which they start. `None` is now."""

    count: int
    after: datetime | None


async def fire_times(_read: Read, schedules: Sequence[Schedule], preview: Preview) -> Mapping[Schedule, list[datetime]]:
    after = preview.after or datetime.now(UTC)
    return {each: each.next_fire_times(after, preview.count) async for each in by_turns(schedules)}


async def descriptions(_read: Read, crons: Sequence[str]) -> Mapping[str, str]:
    return {each: describe(each) async for each in by_turns(crons)}
