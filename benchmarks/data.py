"""One PostgreSQL with the benchmark's data in Mainsheet's own tables."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # has no stubs

from benchmarks import processor
from benchmarks.servers import MAINSHEET, OTHER_CPU, ROOT
from benchmarks.workloads import Call
from mainsheet.models.database import Database
from mainsheet.server.auth import tokens
from testbed.postgres import postgres

JOBS = 10_000
CALLERS = 20
SETTINGS = "shared_buffers = 512MB\nwork_mem = 16MB\nrandom_page_cost = 1.1\n"  # what Mainsheet asks for, all get
SQL = Path(__file__).with_name("data.sql")

SEEN = """
SELECT min(job_key COLLATE "C") FROM job JOIN job_team ON job_team.job_id = job.id
JOIN team_member USING (team_id) WHERE actor_id = $1
"""


@contextmanager
def database() -> Iterator[str]:
    with processor.started_on(OTHER_CPU), postgres(SETTINGS) as url:
        yield url


def fill(url: str, jobs: int = JOBS) -> None:
    environment = {**os.environ, "MAINSHEET_DATABASE_URL": url}
    subprocess.run([MAINSHEET, "db", "upgrade"], cwd=ROOT, env=environment, capture_output=True, check=True)
    asyncio.run(_insert(url, jobs))


async def _insert(url: str, jobs: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SQL.read_text("utf-8").replace(":jobs", str(jobs)))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def calls(url: str) -> list[Call]:
    """Return callers with real tokens, each with a job that they see."""
    connection, mainsheet = await asyncpg.connect(url), Database.open(url)
    try:
        members = await connection.fetch("SELECT id, email FROM actor ORDER BY id LIMIT $1", CALLERS)
        return [
            Call(id_, await tokens.create(mainsheet, email, None, None), await connection.fetchval(SEEN, id_))
            for id_, email in members
        ]
    finally:
        await mainsheet.close()
        await connection.close()


async def postmaster(url: str) -> tuple[int, str]:
    """Return the process whose children are the backends, and PostgreSQL's version."""
    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("SHOW server_version")
        return processor.parent(connection.get_server_pid()), version
    finally:
        await connection.close()
