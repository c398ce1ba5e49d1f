"""Fire times and descriptions of schedules. They need no statement but CPU time, so they yield to other tasks."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TypeVar

from mainsheet.models.schedule import Schedule, describe
from mainsheet.resolvers.sql.snapshot import Read

LONGEST_TURN = 0.005  # seconds; a single description or search adds a few milliseconds at most

Key = TypeVar("Key")


@dataclass(frozen=True)
class Preview:
    """The number of fire times to compute, and the time after which they start. `None` is now."""

    count: int
    after: datetime | None


async def fire_times(_read: Read, schedules: Sequence[Schedule], preview: Preview) -> Mapping[Schedule, list[datetime]]:
    after = preview.after or datetime.now(UTC)
    return {each: each.next_fire_times(after, preview.count) async for each in _in_turns(schedules)}


async def descriptions(_read: Read, crons: Sequence[str]) -> Mapping[str, str]:
    return {each: describe(each) async for each in _in_turns(crons)}


async def _in_turns(keys: Sequence[Key]) -> AsyncIterator[Key]:
    """Yield the keys, and let other tasks run at the start and after each `LONGEST_TURN`."""
    turn_ends = 0.0  # 0, because an operation may call many such batches with one key each
    for key in keys:
        if perf_counter() >= turn_ends:
            await asyncio.sleep(0)
            turn_ends = perf_counter() + LONGEST_TURN
        yield key
