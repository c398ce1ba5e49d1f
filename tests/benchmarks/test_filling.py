"""Filling the growth benchmark's database leaves its tables as the migrations made them."""

import pytest
from sqlalchemy import func, select

from benchmarks.growth.filling import FOREIGN_KEYS, INDEXES, fill
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from testbed.databases import connected

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def checks(url: str) -> list[list[tuple[str, ...]]]:
    async with connected(url) as connection:
        return [[tuple(each) for each in await connection.fetch(query)] for query in (FOREIGN_KEYS, INDEXES)]


async def test_every_index_and_foreign_key_is_made_again(database: Database, database_url: str) -> None:
    before = await checks(database_url)

    await fill(database, database_url, 20)

    assert await checks(database_url) == before
    assert all(before)
    async with database.reads.connect() as connection:
        jobs = await connection.scalar(select(func.count()).select_from(Job))
    assert jobs is not None
    assert jobs > 20
