"""Generates any number of jobs for `harbor`, with the teams, members and clusters that they need.

A few template jobs are made by the methods of `Job`. All others copy their rows with new ids, keys, names and times.
So a generated job is consistent with its history like a real one, but costs only a few inserts. Each job depends only
on the state before, the seed and its number, so that an interrupted run can be continued.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.demo.bulk import load, refresh_statistics
from mainsheet.demo.bulk_rows import Rows, TemplateRows, row_of, table_of
from mainsheet.demo.crowd import SETTLED, Crowd
from mainsheet.demo.template import TemplateJobs, harbor, latest_change
from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from mainsheet.models.read_pool import to_its_end

KEY = re.compile(r"fleet-(\d{7})-.*")
CHUNK = 500
TEMPLATES, JOBS_A_TEMPLATE = 100, 50


async def seed_jobs(database: Database, count: int, seed: int, progress: Callable[[int], None]) -> None:
    """Add `count` jobs to `harbor`. The same seed on the same state gives the same jobs.

    Jobs are committed in chunks, and `progress` is called with the number committed so far, which an interrupt keeps.
    Raises `NotSeeded` if `harbor`, an active cluster, a team, a saved query or an author is missing.
    """
    first = await _grow(database, count, seed)
    async with database.reads.connect() as connection:
        templates = await TemplateJobs.find(connection)
    template_rows = _template_rows(database, templates, first + count - 1, seed)
    for start in range(0, count, CHUNK):
        numbers = range(first + start, first + min(start + CHUNK, count))
        await to_its_end(_load_chunk(database, _rows(template_rows, numbers, seed), progress, numbers.stop - first))
        if start == 0:  # otherwise PostgreSQL checks foreign keys as if the tables were empty, without an index
            await refresh_statistics(database)
    await refresh_statistics(database)


async def _load_chunk(database: Database, rows: Rows, progress: Callable[[int], None], done: int) -> None:
    await load(database, rows)
    progress(done)


async def _grow(database: Database, count: int, seed: int) -> int:
    """Add the rows that the jobs need in one transaction, and return the first job's number."""
    async with database.reads.connect() as connection:
        of = await harbor(connection)
        first = await _next_number(connection, of)
        settled = await latest_change(connection, of) - SETTLED
        crowd = await Crowd(of, settled, seed).of(connection, first + count - 1)
    rows: Rows = {}
    for each in crowd:
        rows.setdefault(table_of(each), []).append(row_of(each, database.writes.dialect))
    await load(database, rows)
    return first


def _template_rows(database: Database, templates: TemplateJobs, jobs: int, seed: int) -> Sequence[TemplateRows]:
    return [
        TemplateRows.of(*templates.make(index, Random(f"{seed}:stamp:{index}")), database.writes.dialect)  # noqa: S311
        for index in range(min(jobs, max(TEMPLATES, jobs // JOBS_A_TEMPLATE)))
    ]


def _rows(template_rows: Sequence[TemplateRows], numbers: Sequence[int], seed: int) -> Rows:
    rows: Rows = {}
    for number in numbers:
        template_rows[number % len(template_rows)].add_job(number, Random(f"{seed}:{number}"), rows)  # noqa: S311
    return rows


async def _next_number(connection: AsyncConnection, organization_id: str) -> int:
    """Return the next number by the history, which outlives jobs: a reused number would repeat ids of events."""
    keys = await connection.scalars(
        select(Event.subject_label).where(
            Event.organization_id == organization_id,
            Event.action == EventAction.JOB_CREATED,
            Event.subject_label.startswith("fleet-"),
        )
    )
    return 1 + max((int(found[1]) for key in keys if (found := KEY.fullmatch(key))), default=0)
