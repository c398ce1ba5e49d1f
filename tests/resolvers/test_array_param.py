"""Many keys in one array parameter."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import InstrumentedAttribute

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion
from mainsheet.resolvers.sql.array_param import among


@pytest.mark.parametrize("column", [Job.id, JobRun.job_id, JobVersion.job_id, JobVersion.cluster_id], ids=str)
async def test_sqlite_finds_keys_by_an_index(sqlite_url: str, column: InstrumentedAttribute[str]) -> None:
    statement = select(column).where(among(column, ["A", "B"]), column != "C")
    plan = text(f"EXPLAIN QUERY PLAN {statement.compile(dialect=sqlite.dialect())}".replace("?", "'[]'"))
    database = Database.open(sqlite_url)
    async with database.reads.connect() as connection:
        steps = [row.detail for row in await connection.execute(plan)]
    await database.close()

    assert steps[0].startswith(f"SEARCH {column.class_.__tablename__} USING")
