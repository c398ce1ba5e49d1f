"""Generated jobs for `harbor`, as many as asked for.

Some jobs are lived through the methods of `Job`, all others are stamped from their rows: new ids, key, name and
times. So a generated job agrees with its history as much as a lived one, at the price of a few inserts.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from random import Random

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.demo.mould import Mould
from models.demo.stamp import Row, Rows, Stamp
from models.job_event import JobAction, JobEvent

KEY = re.compile(r"fleet-(\d{7})-.*")
CHUNK = 500
STAMPS = 100


async def seed_jobs(database: Database, count: int, seed: int, progress: Callable[[int], None]) -> None:
    """Add `count` jobs to `harbor`, the same for the same seed on the same state; `progress` gets the jobs done.

    Raises `NotSeeded` where `harbor`, an active cluster, a team, a saved query or an author is missing.
    """
    async with database.reads.connect() as connection:
        mould = await Mould.find(connection)
        first = await _next_number(connection, mould.organization_id)
    chance = Random(f"{seed}:{first}")  # noqa: S311
    stamps = [Stamp.of(*mould.cast(index, chance)) for index in range(min(count, STAMPS))]
    for start in range(0, count, CHUNK):
        numbers = range(first + start, first + min(start + CHUNK, count))
        await _insert(database, _stamped(stamps, numbers, chance))
        progress(numbers.stop - first)


def _stamped(stamps: Sequence[Stamp], numbers: Sequence[int], chance: Random) -> Iterator[Rows]:
    for number in numbers:
        yield stamps[number % len(stamps)].press(number, chance)


async def _insert(database: Database, jobs: Iterator[Rows]) -> None:
    tables: dict[Table, list[Row]] = {}
    for job in jobs:
        for table, rows in job.items():
            tables.setdefault(table, []).extend(rows)
    async with database.writes.begin() as connection:
        for table, rows in tables.items():
            await connection.execute(insert(table), rows)


async def _next_number(connection: AsyncConnection, organization_id: str) -> int:
    """Look into the history, which outlives the jobs: the number of a deleted job would bring its events' ids back."""
    keys = await connection.scalars(
        select(JobEvent.job_key).where(
            JobEvent.organization_id == organization_id,
            JobEvent.action == JobAction.JOB_CREATED,
            JobEvent.job_key.startswith("fleet-"),
        )
    )
    return 1 + max((int(found[1]) for key in keys if (found := KEY.fullmatch(key))), default=0)
