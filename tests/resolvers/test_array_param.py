"""Many keys in one array parameter."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import BindParameter, bindparam, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.orm import InstrumentedAttribute

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion
from mainsheet.resolvers.sql.array_param import KEYS, ArrayAsText, TextArray, among, as_array


@pytest.mark.parametrize("column", [Job.id, JobRun.job_id, JobVersion.job_id, JobVersion.cluster_id], ids=str)
async def test_sqlite_finds_keys_by_an_index(sqlite_url: str, column: InstrumentedAttribute[str]) -> None:
    statement = select(column).where(among(column, ["A", "B"]), column != "C")
    plan = text(f"EXPLAIN QUERY PLAN {statement.compile(dialect=sqlite.dialect())}".replace("?", "'[]'"))
    database = Database.open(sqlite_url)
    async with database.reads.connect() as connection:
        steps = [row.detail for row in await connection.execute(plan)]
    await database.close()

    assert steps[0].startswith(f"SEARCH {column.class_.__tablename__} USING")


@pytest.mark.parametrize(
    ("keys", "array"),
    [
        (bindparam("ids", type_=TextArray()), "$1::VARCHAR[]"),
        (KEYS, "(SELECT CAST($1::VARCHAR AS TEXT[]))::text[]"),
    ],
    ids=["filter", "keys"],
)
def test_postgresql_casts_no_array_for_each_row(keys: BindParameter[Sequence[str]], array: str) -> None:
    dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]  # has no annotations
    compiled = select(Job.id).where(among(Job.id, keys)).compile(dialect=dialect)

    assert str(compiled).endswith(f"WHERE job.id = ANY ({array})")


@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9), max_size=5))
@example(texts=[])
@example(texts=["", "NULL", "a,b", "{c}", 'd"', "\\", '\\"', " e ", "'"])
@settings(max_examples=20)
async def test_postgresql_reads_the_texts_that_were_given(postgres_url: str, texts: list[str]) -> None:
    database = Database.open(postgres_url)
    async with database.reads.connect() as connection:
        found = await connection.scalar(select(as_array(bindparam("texts", texts, ArrayAsText()))))
    await database.close()

    assert found == texts
