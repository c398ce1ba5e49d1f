"""Fills a database with jobs. On PostgreSQL, indexes and foreign keys are dropped first and made again afterwards.

To make them at once costs less than to maintain them with each of a million jobs.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy import func, select

from mainsheet.demo import seed_demo, seed_jobs
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.migrate import drift, upgrade
from testbed.databases import connected

SEED = 1
CHUNK = 20_000  # jobs between two lines of progress

FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
# Those of constraints stay, as foreign keys refer to them, and those of events, in which a trigger looks up each event.
INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace AND NOT indisunique AND indrelid <> 'event'::regclass ORDER BY 1
"""


async def fill(database: Database, url: str, size: int) -> None:
    """Add the demo, and jobs up to `size`. Continues a run that was interrupted."""
    await upgrade(database)
    await seed_demo(database)
    async with database.reads.connect() as connection:
        there = await connection.scalar(select(func.count()).select_from(Job)) or 0
    if found := await drift(database):
        raise RuntimeError(f"The tables differ from the migrations', so begin with a new database: {found}")
    if there >= size:
        return
    async with nullcontext() if database.is_sqlite else without_checks(url):
        await seed_jobs(database, size - there, SEED, _progress(there, size))


def _progress(there: int, size: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % CHUNK == 0:
            print(f"  {there + done:,} of {size:,} jobs", flush=True)

    return tell


@asynccontextmanager
async def without_checks(url: str) -> AsyncIterator[None]:
    async with connected(url) as connection:
        keys, indexes = await connection.fetch(FOREIGN_KEYS), await connection.fetch(INDEXES)
        for each in keys:
            await connection.execute(f"ALTER TABLE {each['table']} DROP CONSTRAINT {each['name']}")
        for each in indexes:
            await connection.execute(f"DROP INDEX {each['name']}")
    try:
        yield
    finally:  # also if the run is interrupted; it can be continued then
        async with connected(url) as connection:
            print("  indexes and foreign keys", flush=True)
            for each in indexes:
                await connection.execute(each["definition"])
            for each in keys:
                add = f"ADD CONSTRAINT {each['name']} {each['definition']}"
                await connection.execute(f"ALTER TABLE {each['table']} {add}")
            await connection.execute("CHECKPOINT")  # VACUUM marks the pages of what is on disk only
            await connection.execute("VACUUM ANALYZE")
