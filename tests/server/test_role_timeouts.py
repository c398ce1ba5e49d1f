"""The timeouts of a role don't end the statements of commands such as `mainsheet db prune`."""

import asyncio
from functools import partial
from subprocess import CompletedProcess

import pytest
from sqlalchemy import func, make_url, select

from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRun
from testbed.ask import Ask
from testbed.databases import connected, execute
from testbed.world import World
from tests.locks import WAITING, WAITING_LONG, timeouts, until_waiting
from tests.server.commands import invoke
from tests.server.failing import holding
from tests.server.test_retention import KEEP_RUNS, runs

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
STOP_WAITING = WAITING.replace("*", "pg_cancel_backend(pid)")

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
    async with connected(database_url) as connection:
        settings = await timeouts(connection)
    for setting in settings:
        await execute(postgres_server, f"ALTER DATABASE {make_url(database_url).database} SET {setting} = '1s'")
    environment = {"MAINSHEET_DATABASE_URL": database_url, "MAINSHEET_DATABASE_POOLING": pooling}

    async with holding(ask.database, KEEP_RUNS):
        pruning = asyncio.ensure_future(prune(**environment))
        await until_waiting(ask.database, pruning, WAITING_LONG)
    done = await pruning

    assert done.returncode == 0, done.stderr
    assert await left(ask.database) == 1


async def prune(**environment: str) -> Done:
    return await asyncio.to_thread(invoke, "db", "prune", "--run-retention-days", "30", **environment)


async def test_a_stopped_command_says_how_to_go_on(database_url: str, ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await runs(ask.database, job_id, 50, 40, 39)
    environment = {"MAINSHEET_DATABASE_URL": database_url}

    async def delete() -> Done:
        return await asyncio.to_thread(invoke, "organization", "delete", "--yes", world.organization.id, **environment)

    for command in (partial(prune, **environment), delete):
        async with holding(ask.database, KEEP_RUNS):
            running = asyncio.ensure_future(command())
            await until_waiting(ask.database, running, STOP_WAITING)
            stopped = await running
        assert stopped.returncode == 1
        assert stopped.stderr == (
            "Error: A database statement took too long and was stopped: canceling statement due to user request."
            " What was done until then is kept. Run the command again to delete the rest.\n"
        )
        done = await command()
        assert done.returncode == 0, done.stderr
    assert await left(ask.database) == 0
