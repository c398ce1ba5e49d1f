"""One PostgreSQL with the benchmark's data in Mainsheet's own tables."""

import asyncio
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks import processor
from benchmarks.servers import MAINSHEET, OTHER_CPU, ROOT
from benchmarks.statements import statements
from benchmarks.workloads import Call
from mainsheet.server.auth import tokens
from testbed.databases import connected, opened
from testbed.postgres import postgres

JOBS = 10_000
CALLERS = 20
SETTINGS = "shared_buffers = 512MB\nwork_mem = 16MB\nrandom_page_cost = 1.1\n"  # what Mainsheet asks for, all get
NOTHING_MORE: Mapping[str, str] = {}
STATEMENTS = statements("data.sql")

SEEN = """
SELECT min(job_key COLLATE "C") FROM job JOIN job_team ON job_team.job_id = job.id
JOIN team_member USING (team_id) WHERE actor_id = $1
"""


@contextmanager
def database(cpu: int = OTHER_CPU) -> Iterator[str]:
    """Start PostgreSQL on a CPU, as a rule not the servers'."""
    with ExitStack() as stack:
        with processor.started_on(cpu):
            url = stack.enter_context(postgres(SETTINGS))
        yield url


def fill(
    url: str,
    jobs: int = JOBS,
    program: Sequence[str] = (MAINSHEET,),
    environment: Mapping[str, str] = NOTHING_MORE,
    sql: Mapping[str, str] = STATEMENTS,
) -> None:
    """Make the tables by the program, and insert the rows."""
    variables = {**os.environ, "MAINSHEET_DATABASE_URL": url, **environment}
    subprocess.run([*program, "db", "upgrade"], cwd=ROOT, env=variables, capture_output=True, check=True)
    asyncio.run(_insert(url, "\n".join(sql.values()).replace(":jobs", str(jobs))))


async def _insert(url: str, sql: str) -> None:
    async with connected(url) as connection:
        await connection.execute(sql)
        # Until an asynchronous commit is on disk, VACUUM can't mark pages as visible to all.
        await connection.execute("CHECKPOINT")
        await connection.execute("VACUUM ANALYZE")


async def calls(url: str) -> list[Call]:
    """Return callers with real tokens, each with a job that they see."""
    async with connected(url) as connection, opened(url) as mainsheet:
        members = await connection.fetch("SELECT id, email FROM actor ORDER BY id LIMIT $1", CALLERS)
        return [
            Call(id_, await tokens.create(mainsheet, email, None, None), await connection.fetchval(SEEN, id_))
            for id_, email in members
        ]


async def postmaster(url: str) -> tuple[int, str]:
    """Return the process whose children are the backends, and PostgreSQL's version."""
    async with connected(url) as connection:
        version = await connection.fetchval("SHOW server_version")
        return processor.parent(connection.get_server_pid()), version
