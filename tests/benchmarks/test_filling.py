"""Filling the growth benchmark's database leaves its tables as the migrations made them."""

import pytest
from sqlalchemy import func, select

from benchmarks.growth.filling import FOREIGN_KEYS, INDEXES, fill, without_checks
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from testbed.databases import connected

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def checks(url: str) -> list[list[tuple[str, ...]]]:
    async with connected(url) as connection:
        return [[tuple(each) for each in await connection.fetch(query)] for query in (FOREIGN_KEYS, INDEXES)]


async def test_every_index_and_foreign_key_is_made_again(database: Database, database_url: str) -> None:
    before = await checks(database_url)

    async with without_checks(database_url):
        assert await checks(database_url) == [[], []]

    assert await checks(database_url) == before
    assert all(before)


async def test_an_interrupted_run_is_continued(database: Database, database_url: str) -> None:
    for size in (50, 60):
        await fill(database, database_url, size)

        async with database.reads.connect() as connection:
            assert await connection.scalar(select(func.count()).select_from(Job)) == size


async def test_tables_without_their_indexes_are_refused(database: Database, database_url: str) -> None:
    async with connected(database_url) as connection:
        name = (await connection.fetch(INDEXES))[0]["name"]
        await connection.execute(f"DROP INDEX {name}")

    with pytest.raises(RuntimeError, match=name):
        await fill(database, database_url, 60)
