"""The timeouts of a role don't end the statements of commands such as `mainsheet db prune`."""

import asyncio
from functools import partial
from subprocess import CompletedProcess

import pytest
from sqlalchemy import func, make_url, select, text

from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRun
from testbed.ask import Ask
from testbed.databases import execute, opened
from testbed.world import World
from tests.server.commands import invoke
from tests.server.failing import holding
from tests.server.test_retention import runs

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

WAITS_LONG = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND clock_timestamp() > query_start + interval '1.5 s'
"""
KEEP_RUNS = "LOCK TABLE job_run IN SHARE MODE"  # they can be read
STOP_WAITING = """SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'"""

Done = CompletedProcess[str]


async def left(database: Database) -> int:
    async with database.reads.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(JobRun))).scalar_one())


@pytest.mark.parametrize("pooling", ["session", "transaction"])
async def test_commands_outlast_the_timeouts_of_the_role(
    database_url: str, postgres_server: str, ask: Ask, world: World, pooling: str
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await runs(ask.database, job_id, 50, 40, 39)
    for setting in ("statement_timeout", "lock_timeout"):
        await execute(postgres_server, f"ALTER DATABASE {make_url(database_url).database} SET {setting} = '1s'")
    environment = {"MAINSHEET_DATABASE_URL": database_url, "MAINSHEET_DATABASE_POOLING": pooling}

    async with holding(ask.database, KEEP_RUNS):
        pruning = asyncio.ensure_future(prune(**environment))
        await seen(WAITS_LONG, database_url, pruning)
    done = await pruning

    assert done.returncode == 0, done.stderr
    assert await left(ask.database) == 1


async def prune(**environment: str) -> Done:
    return await asyncio.to_thread(invoke, "db", "prune", "--run-retention-days", "30", **environment)


async def seen(query: str, database_url: str, running: asyncio.Future[Done]) -> None:
    """Wait until the query counts something, while the command is running."""
    async with opened(database_url) as watcher, watcher.reads.connect() as connection:
        watching = await connection.execution_options(isolation_level="AUTOCOMMIT")
        while not await watching.scalar(text(query)):
            assert not running.done(), await running


async def test_a_stopped_command_says_how_to_go_on(database_url: str, ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await runs(ask.database, job_id, 50, 40, 39)
    environment = {"MAINSHEET_DATABASE_URL": database_url}

    async def delete() -> Done:
        return await asyncio.to_thread(invoke, "organization", "delete", "--yes", world.organization.id, **environment)

    for command in (partial(prune, **environment), delete):
        async with holding(ask.database, KEEP_RUNS):
            running = asyncio.ensure_future(command())
            await seen(STOP_WAITING, database_url, running)
            stopped = await running
        assert stopped.returncode == 1
        assert stopped.stderr == (
            "Error: A database statement took too long and was stopped: canceling statement due to user request."
            " What was done until then is kept. Run the command again to delete the rest.\n"
        )
        done = await command()
        assert done.returncode == 0, done.stderr
    assert await left(ask.database) == 0
