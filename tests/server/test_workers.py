"""Several worker processes on one port: no request is lost while they are started and stopped.

Longer than 300 lines: one subject, of which a third sets the processes up.
"""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.server.process.listening import Listening
from mainsheet.server.process.worker import COMMAND, Start
from mainsheet.server.settings import Settings
from testbed.ask import Ask
from testbed.databases import postgres_database
from testbed.world import World, make_world, token
from tests.server.commands import PATIENCE, Serving, expect_no_traceback, mainsheet, serving
from tests.server.failing import holding, waiting

NAME = "query ($id: ID!) { job(id: $id) { name } }"
DESCRIBE = """
mutation Describe($id: ID!, $text: String) {
  updateJob(input: {jobId: $id, description: $text}) { userErrors { code } }
}
"""
COUNT = r'mainsheet_http_request_seconds_count\{method="GET",route="/livez",status="200"\} (.*)'
LOCK_JOB = "SELECT id FROM job WHERE id = :id FOR UPDATE"


@dataclass(frozen=True)
class Site:
    """A database with one job, and a member who may change it."""

    url: str
    database: Database
    token: str
    job_id: str


@dataclass(frozen=True)
class Clients:
    """Some that keep their connections, and one that opens a new one for each request."""

    site: Site
    server: Serving
    kept: ClientSession
    fresh: ClientSession

    async def ask(self, http: ClientSession, query: str, **variables: str) -> object:
        body = {"query": query, "variables": {"id": self.site.job_id, **variables}}
        async with http.post(self.server.url, json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def pid(self) -> int:
        async with self.fresh.get(self.server.url.replace("/graphql", "/livez")) as response:
            return int((await response.json())["pid"])

    async def pids(self, many: int = 2, *, other_than: frozenset[int] = frozenset()) -> frozenset[int]:
        """Wait until this many workers respond, and none of `other_than`.

        Many requests are sent at once, so that no worker can accept all of them.
        """
        seen: frozenset[int] = frozenset()
        try:
            async with asyncio.timeout(PATIENCE):
                while len(seen) != many or seen & other_than:
                    seen = frozenset(await asyncio.gather(*(self.pid() for _ in range(20))))
        except TimeoutError:
            raise AssertionError(f"The workers that responded last are {sorted(seen)}.") from None
        return seen


@pytest.fixture(scope="module")
def site(postgres_server: str, postgres_template: str) -> Iterator[Site]:
    with asyncio.Runner() as runner:
        made = postgres_database(postgres_server, postgres_template)
        url = runner.run(made.__aenter__())
        yield runner.run(_site(url))
        runner.run(made.__aexit__(None, None, None))


async def _site(url: str) -> Site:
    database = Database.open(url)
    world: World = await make_world(database)
    job_id = await Ask(database).create_job(world.contributor, world)
    secret = await token(database, world.contributor)
    await database.close()
    return Site(url, Database.open(url), secret, job_id)


@pytest.fixture
async def lock(site: Site) -> AsyncIterator[Site]:
    """The site, with connections of this test's event loop."""
    database = Database.open(site.url)
    yield Site(site.url, database, site.token, site.job_id)
    await database.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers") / "log"


@pytest.fixture(scope="module")
def two(site: Site, log: Path) -> Iterator[Serving]:
    with log.open("w") as file, serving("--workers", "2", log=file, environment=settings(site)) as server:
        yield server
        assert server.stop() == 0


@pytest.fixture
async def clients(site: Site, two: Serving) -> AsyncIterator[Clients]:
    async with connected(site, two) as them:
        yield them


@asynccontextmanager
async def connected(site: Site, server: Serving) -> AsyncIterator[Clients]:
    headers = {"Authorization": f"Bearer {site.token}"}
    async with (
        ClientSession(headers=headers) as kept,
        ClientSession(headers=headers, connector=TCPConnector(force_close=True)) as fresh,
    ):
        yield Clients(site, server, kept, fresh)


def settings(site: Site, **more: str) -> dict[str, str]:
    """Return the settings of a server without a limit of the expected wait, which a slow machine may exceed."""
    own = {"MAINSHEET_DATABASE_URL": site.url, "MAINSHEET_POOL_SIZE": "3", "MAINSHEET_QUEUE_SECONDS": "0"}
    return own | more


async def test_each_worker_serves(clients: Clients) -> None:
    assert len(await clients.pids(2)) == 2


async def test_metrics_cover_all_workers(clients: Clients) -> None:
    await clients.pids(2)
    before = await _counted(clients)

    for _ in range(20):
        await clients.pid()

    assert [await _counted(clients) for _ in range(8)] == [before + 20] * 8


async def _counted(clients: Clients) -> float:
    async with clients.fresh.get(clients.server.url.replace("/graphql", "/metrics")) as response:
        answer = await response.text()
    found = re.search(r'mainsheet_http_request_seconds_count\{method="GET",route="/livez",status="200"\} (.*)', answer)
    assert found
    return float(found[1])


async def test_a_reload_under_load_loses_no_request(clients: Clients) -> None:
    before, is_over, answered = await clients.pids(2), asyncio.Event(), 0

    async def load(http: ClientSession) -> None:
        nonlocal answered
        while not is_over.is_set():
            await clients.ask(http, NAME)
            await clients.ask(http, DESCRIBE, text=f"after {answered}")
            answered += 1

    async with asyncio.TaskGroup() as group:
        for http in (clients.kept, clients.kept, clients.kept, clients.fresh):
            group.create_task(load(http))
        clients.server.process.send_signal(signal.SIGHUP)
        after = await clients.pids(2, other_than=before)
        answered_by_then = answered
        while answered < answered_by_then + 20:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        is_over.set()

    assert answered_by_then > 0
    assert not before & after


async def test_a_killed_worker_is_replaced_and_logged(clients: Clients, log: Path) -> None:
    before = await clients.pids(2)
    victim = min(before)

    os.kill(victim, signal.SIGKILL)

    after = await clients.pids(2, other_than=frozenset({victim}))
    assert before - {victim} < after
    (line,) = [line for line in _lines(log) if f"pid={victim}" in line and "worker died" in line]
    assert "was ended by SIGKILL" in line


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


async def test_a_failed_reload_keeps_the_old_workers(clients: Clients, lock: Site, log: Path) -> None:
    before = await clients.pids(2)
    revision = await _set_revision(lock, "0000")
    clients.server.process.send_signal(signal.SIGHUP)
    try:
        async with asyncio.timeout(PATIENCE):
            while not any("reload failed" in line for line in _lines(log)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await _set_revision(lock, revision)

    assert await clients.pids(2) == before


async def _set_revision(site: Site, revision: str) -> str:
    async with site.database.writes.begin() as connection:
        before = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    return str(before)


async def test_a_running_change_is_finished_before_shutdown(lock: Site) -> None:
    with serving("--workers", "2", environment=settings(lock, MAINSHEET_LOCK_TIMEOUT_SECONDS="60")) as server:
        async with connected(lock, server) as clients:
            async with holding(lock.database, LOCK_JOB, id=lock.job_id):
                changing = asyncio.create_task(clients.ask(clients.kept, DESCRIBE, text="finished"))
                await waiting(lock.database)
                server.process.terminate()
                await _refused(clients)
            answer = await changing
        code = await asyncio.to_thread(server.process.wait, PATIENCE)

    assert (code, answer) == (0, {"data": {"updateJob": {"userErrors": []}}})
    assert await _description(lock) == "finished"


async def _refused(clients: Clients) -> None:
    """Wait until connections are refused."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await clients.pid()
            except ClientError:
                return


async def _description(site: Site) -> str:
    async with site.database.reads.connect() as connection:
        return str(await connection.scalar(text("SELECT description FROM job WHERE id = :id"), {"id": site.job_id}))


async def test_operations_cut_at_the_deadline_are_logged(lock: Site, tmp_path: Path) -> None:
    before = await _description(lock)
    more = settings(lock, MAINSHEET_SHUTDOWN_SECONDS="0.2", MAINSHEET_LOCK_TIMEOUT_SECONDS="60")
    with (tmp_path / "log").open("w") as file, serving(log=file, environment=more) as server:
        async with connected(lock, server) as clients, holding(lock.database, LOCK_JOB, id=lock.job_id):
            changing = asyncio.create_task(clients.ask(clients.kept, DESCRIBE, text="never"))
            await waiting(lock.database)
            server.process.terminate()
            code = await asyncio.to_thread(server.process.wait, PATIENCE)
            with pytest.raises(ClientError):
                await changing

    (line,) = [line for line in _lines(tmp_path / "log") if "cut off at the shutdown deadline" in line]
    assert code == 0
    assert "count=1 mutations=['Describe'] requests=['Describe']" in line
    assert await _description(lock) == before


async def test_a_second_signal_ends_immediately(lock: Site) -> None:
    more = settings(lock, MAINSHEET_LOCK_TIMEOUT_SECONDS="300", MAINSHEET_SHUTDOWN_SECONDS="300")
    with serving("--workers", "2", environment=more) as server:
        async with connected(lock, server) as clients, holding(lock.database, LOCK_JOB, id=lock.job_id):
            workers = await clients.pids(2)
            changing = asyncio.create_task(clients.ask(clients.kept, DESCRIBE, text="never"))
            await waiting(lock.database)
            server.process.terminate()
            await _refused(clients)
            server.process.terminate()
            with pytest.raises(ClientError):
                await changing
        code = await asyncio.to_thread(server.process.wait, PATIENCE)

    assert code == -signal.SIGTERM
    await _gone(workers)


async def _gone(pids: frozenset[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(map(_lives, pids)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _lives(pid: int) -> bool:
    """Return whether the process runs and isn't a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_workers_stop_when_their_supervisor_is_killed(site: Site) -> None:
    with serving("--workers", "2", environment=settings(site)) as server:
        async with connected(site, server) as clients:
            workers = await clients.pids(2)
            server.process.kill()

            await _gone(workers)


def test_a_worker_whose_supervisor_died_before_it_was_ready_ends_silently(site: Site) -> None:
    chosen = Settings(database_url=site.url, port=0, log_level="warning")
    sockets = Listening.open(chosen)
    given = Start(chosen, sockets.numbers, []).line()
    read, write = os.pipe()
    os.close(read)

    with os.fdopen(write, "wb") as unread:
        worker = subprocess.run(
            COMMAND,
            input=given,
            stdout=unread,
            stderr=subprocess.PIPE,
            pass_fds=sockets.numbers[0],
            timeout=PATIENCE,
            check=False,
        )
    sockets.close()

    assert worker.returncode == 1
    expect_no_traceback(worker.stderr.decode())


def test_sqlite_is_for_one_process(sqlite_url: str) -> None:
    result = mainsheet("serve", "--workers", "2", "--database-url", sqlite_url)

    assert result.returncode == 1
    assert result.stderr == "Error: SQLite is for one process: 2 workers need PostgreSQL\n"


@pytest.mark.parametrize(
    ("more", "each_needs"), [({}, 1002), ({"MAINSHEET_REPLICA_URLS": "postgresql://replica.invalid/mainsheet"}, 1003)]
)
def test_more_connections_than_max_connections_are_refused(site: Site, more: dict[str, str], each_needs: int) -> None:
    variables = {"MAINSHEET_DATABASE_URL": site.url, "MAINSHEET_POOL_SIZE": "1000", **more}
    result = mainsheet("serve", "--workers", "64", **variables)

    assert result.returncode == 1
    needed = 64 * each_needs
    assert f"Error: 64 workers with MAINSHEET_POOL_SIZE=1000 need {needed} connections: PostgreSQL's" in result.stderr


async def test_an_option_replaces_an_invalid_variable(site: Site) -> None:
    """`serving` gives `--port`."""
    with serving("--workers", "2", environment=settings(site, MAINSHEET_PORT="abc")) as server:
        async with connected(site, server) as clients:
            await clients.pids(2)


def test_the_command_prints_why_workers_cant_start(site: Site) -> None:
    issuer = {"MAINSHEET_OIDC_ISSUER": "https://issuer.example"}
    result = mainsheet("serve", "--workers", "2", "--port", "0", **settings(site), **issuer)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("Error: The workers can't start: MAINSHEET_OIDC_ISSUER needs")
    expect_no_traceback(result.stderr)


async def test_the_queue_of_a_worker_that_died_is_not_counted(lock: Site) -> None:
    more = {"MAX_OPERATIONS_PER_CALLER": "1", "POOL_TIMEOUT_SECONDS": "60", "LOCK_TIMEOUT_SECONDS": "60"}
    variables = settings(lock, **{f"MAINSHEET_{name}": value for name, value in more.items()})
    with serving("--workers", "2", environment=variables) as server:
        async with connected(lock, server) as clients, holding(lock.database, LOCK_JOB, id=lock.job_id):
            before = await clients.pids(2)
            changes = [asyncio.create_task(clients.ask(clients.fresh, DESCRIBE, text="queued")) for _ in range(8)]
            async with asyncio.timeout(PATIENCE):
                while await _queue_length(clients) < 6:
                    pass

            for pid in before:
                os.kill(pid, signal.SIGKILL)
            await asyncio.gather(*changes, return_exceptions=True)
            await clients.pids(2, other_than=before)

            assert await _queue_length(clients) == 0


async def _queue_length(clients: Clients) -> float:
    async with clients.fresh.get(clients.server.url.replace("/graphql", "/metrics")) as response:
        found = re.search(r"^mainsheet_graphql_queue_length (.*)", await response.text(), re.MULTILINE)
    return float(found[1]) if found else 0
