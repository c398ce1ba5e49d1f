"""What Ctrl-C does to commands."""

import asyncio
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from signal import SIGINT

import pytest

from mainsheet.models.database import Database
from testbed.databases import opened, postgres_database
from tests.locks import until_waiting
from tests.releases.kept import restore_postgresql
from tests.server.commands import MAINSHEET, PATIENCE, clean
from tests.server.failing import holding

WRITING = "LOCK TABLE event IN ROW EXCLUSIVE MODE"  # an index that is built concurrently waits for writers


@pytest.fixture
async def older(postgres_server: str) -> AsyncIterator[Database]:
    """A database of 0.2.0, for which indexes have to be built."""
    async with postgres_database(postgres_server) as url:
        await asyncio.to_thread(restore_postgresql, "0.2.0", url)
        async with opened(url) as database:
            yield database


@pytest.mark.usefixtures("interruptible")
async def test_an_upgrade_that_is_interrupted_while_it_builds_an_index_is_aborted(older: Database) -> None:
    process = await upgrading(older.url)
    ended = asyncio.ensure_future(process.communicate())
    async with holding(older, WRITING):
        await until_waiting(older, ended)
        process.send_signal(SIGINT)
        async with asyncio.timeout(PATIENCE):
            _, said = await ended

    assert (process.returncode, said.decode().split()) == (1, ["Aborted!"])


async def upgrading(url: str) -> Process:
    environment = clean({"MAINSHEET_DATABASE_URL": url})
    return await asyncio.create_subprocess_exec(
        MAINSHEET, "db", "upgrade", env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
