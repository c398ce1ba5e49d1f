"""This version under load while a simulated next version migrates the database, serves beside it, and goes back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mainsheet.models.database import Database
from mainsheet.models.revisions import head, revisions_of
from tests.chaos.client import Client
from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Crowd, Scale, crowd_at
from tests.chaos.server import Server, serving
from tests.releases.next_version import NextVersion, make_next_version
from tests.server.commands import PATIENCE, UNHURRIED, expect_no_traceback

CHANGES = 20


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> NextVersion:
    return make_next_version(tmp_path_factory.mktemp("next"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of PostgreSQL, the next test shows it, too
async def test_it_serves_a_database_that_the_next_version_migrates_and_brings_back(
    following: NextVersion, database_url: str, database: Database, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    async with crowd_at(database_url) as crowd, serving(database_url, tmp_path / "log") as server:
        async with crowd.at_work(server):
            async for _ in crowd.rounds(replace(scale, changes=CHANGES)):
                upgraded = await following.run("db", "upgrade", url=database_url)
                assert upgraded.code == 0, upgraded.stderr
                assert (await revisions_of(database)).is_newer
                await crowd.changes(CHANGES)
                assert await server.status("/readyz") == 200

                downgraded = await following.run("db", "downgrade", head(), url=database_url)
                assert downgraded.code == 0, downgraded.stderr
            await crowd.changes(CHANGES)
        assert await server.stop() == 0

    await verdict("database upgraded or downgraded", database_url, crowd, 2 * scale.times, set())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_both_versions_serve_a_database_of_the_next_one(
    following: NextVersion, database_url: str, database: Database, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    serving_now = serving(database_url, tmp_path / "log", "--workers", "2", log_level="info")
    async with crowd_at(database_url) as crowd, serving_now as server:
        async with crowd.at_work(server):
            async for _ in crowd.rounds(replace(scale, changes=CHANGES)):
                assert (await following.run("db", "upgrade", url=database_url)).code == 0
                assert (await revisions_of(database)).is_newer
                await crowd.changes(CHANGES)
                assert await server.status("/readyz") == 200
                async with serving_next(following, database_url, tmp_path / "log.next") as newer:
                    await moved(crowd, crowd.clients[::2], newer)
                    await crowd.changes(CHANGES)
                    await moved(crowd, crowd.clients, newer)
                    await replace_a_worker(server)
                    await moved(crowd, crowd.clients, server)
                    assert await newer.stop() == 0

                refused = await following.run("db", "downgrade", head(), url=database_url)
                assert refused.stdout.splitlines()[1].split()[:2] == ["job", "colour"]
                assert (await following.run("db", "downgrade", head(), "--yes", url=database_url)).code == 0
            await crowd.changes(CHANGES)
        assert await server.stop() == 0

    fault = "database upgraded or downgraded, the next version beside this one"
    await verdict(fault, database_url, crowd, 2 * scale.times, set())


@asynccontextmanager
async def serving_next(following: NextVersion, database_url: str, log: Path) -> AsyncIterator[Server]:
    environment = following.environment | UNHURRIED | {"MAINSHEET_ORGANIZATION_SHARE": "1"}
    server = Server(("--database-url", database_url), environment, log, following.command)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
    expect_no_traceback(log.read_text("utf-8"))  # noqa: ASYNC240 the server has ended


async def replace_a_worker(server: Server) -> None:
    """Kill a worker, and wait until one that started after it answers."""
    async with asyncio.timeout(PATIENCE):
        before = {await server.pid() for _ in range(40)}
        assert len(before) == 2
        await server.kill_a_worker(of=2)
        while before.issuperset(await asyncio.gather(*(server.pid() for _ in range(20)))):  # no worker can accept all
            pass


async def moved(crowd: Crowd, clients: Sequence[Client], server: Server) -> None:
    """Let these clients ask another server, and wait until they have no request to the one before."""
    for each in clients:
        each.server = server
    for _ in range(2):  # the first answer may come from the one before
        await crowd.recovered()
