"""Workers, the server and PostgreSQL are killed while runs are executed: each run is finished exactly once."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.roles import AccessScope
from testbed.ask import Ask, config
from testbed.databases import opened
from testbed.world import World, make_world
from tests.chaos.conftest import Durable, Verdict, is_full
from tests.chaos.executions import Executions, executions
from tests.chaos.outcomes import Outcome
from tests.chaos.outside import outside
from tests.chaos.run_worker import TOKEN_VARIABLE
from tests.chaos.server import Server, serving

WORKERS = 4
JOBS = 20
FAULTS = ("worker", "server", "fast", "immediate")
SHORTEST_LEASE = 5  # that the server allows
STALLED_SECONDS = 300
UNFINISHED = "SELECT count(*) FROM job_run WHERE finished_at IS NULL"
UNLIMITED = {"points_per_minute": 0, "database_seconds_per_minute": 0}


@dataclass
class Crew:
    """The workers' processes, and what they note in a pipe."""

    url: str
    token: str
    pipe: int
    lease_seconds: int
    notes: list[bytes] = field(default_factory=list)
    done: int = 0  # executions
    has_noted: asyncio.Condition = field(default_factory=asyncio.Condition)
    processes: list[Process] = field(default_factory=list)
    killed_at: dict[int, float] = field(default_factory=dict)

    async def start(self) -> None:
        command = (sys.executable, "-m", "tests.chaos.run_worker", self.url, str(self.pipe), str(self.lease_seconds))
        environment = os.environ | {TOKEN_VARIABLE: self.token}
        self.processes.append(
            await asyncio.create_subprocess_exec(
                *command, env=environment, start_new_session=True, pass_fds=[self.pipe]
            )
        )

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Keep the notes of all workers until the pipe is closed."""
        async for note in reader:
            async with self.has_noted:
                self.notes.append(note)
                self.done += b" done " in note
                self.has_noted.notify_all()

    async def has_done(self, count: int) -> None:
        """Wait until this many executions were done."""
        async with asyncio.timeout(STALLED_SECONDS), self.has_noted:
            await self.has_noted.wait_for(lambda: self.done >= count)

    async def kill(self, process: Process) -> None:
        assert process.returncode is None, "it should work until it is killed"
        process.kill()
        await process.wait()
        self.killed_at[process.pid] = time.monotonic()
        self.processes.remove(process)

    def executions(self) -> Executions:
        return executions(self.notes, self.killed_at)


async def test_each_run_is_finished_exactly_once(
    durable: Durable, tmp_path: Path, verdict: Verdict, unused_tcp_port: int
) -> None:
    runs, faults, lease_seconds = (20_000, 60, 15) if is_full() else (160, len(FAULTS), SHORTEST_LEASE)
    chance = Random(1)
    async with opened(durable.url) as database:
        token, run_ids = await _filled(database, runs)
    same_port = ("--port", str(unused_tcp_port))

    async with (
        serving(durable.url, tmp_path / "log", *same_port, **UNLIMITED, run_sweep_seconds=0.5) as server,
        _crew(server.url, token, lease_seconds) as crew,
    ):
        begun = time.monotonic()
        for number in range(faults):
            await crew.has_done(runs * (number + 1) // (faults + 1))
            await _fail(FAULTS[number % len(FAULTS)], server, crew, durable, chance)
        async with outside(durable.url) as other:
            await other.sees(UNFINISHED, 0, STALLED_SECONDS)
        async with opened(durable.url) as database:
            seconds = time.monotonic() - begun
            stored, finishes = await _stored(database), await _finishes(database)

    found = crew.executions()
    assert {(each.id, each.status) for each in stored} == {(each, JobRunStatus.SUCCEEDED) for each in run_ids}
    assert {(each.id, each.attempt) for each in stored} <= found.done
    assert (found.repeated, found.overlapping) == ([], [])
    assert set(finishes) == {1}
    verdict.outcomes.append(_outcome(found, stored, faults, seconds))


async def _filled(database: Database, runs: int) -> tuple[str, set[str]]:
    """Return a token of a worker, and the ids of ready runs of several jobs."""
    world, ask = await make_world(database), Ask(database)
    values = [{"jobKey": f"job-{number}", "config": config(world, maxRetries=10)} for number in range(JOBS)]
    jobs = [await ask.create_job(world.contributor, world, **each) for each in values]
    now = datetime.now(UTC) - timedelta(hours=1)
    rows = [_ready(world, jobs[number % JOBS], now + timedelta(milliseconds=number)) for number in range(runs)]
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(insert(JobRun), rows)
        of = (world.organization.id, world.contributor.id, datetime.now(UTC))
        token, secret = AccessToken.issue(*of, expires_at=None, name=None, scopes=AccessScope)
        session.add(token)
    return secret, {str(row["id"]) for row in rows}


def _ready(world: World, job_id: str, at: datetime) -> dict[str, object]:
    own = {"organization_id": world.organization.id, "job_id": job_id, "cluster_id": world.cluster.id}
    counts = {"version_number": 1, "attempt": 0, "retries": 0, "lost_claims": 0, "parameters": []}
    state = {"status": JobRunStatus.READY, "trigger": JobRunTrigger.MANUAL, "created_at": at, "available_at": at}
    return {"id": new_id(JobRun.PREFIX, at), **own, **counts, **state}


@asynccontextmanager
async def _crew(url: str, token: str, lease_seconds: int) -> AsyncIterator[Crew]:
    ours, theirs = os.pipe()
    crew, reader = Crew(url, token, theirs, lease_seconds), asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb"))
    listening = asyncio.create_task(crew.listen(reader))
    try:
        for _ in range(WORKERS):
            await crew.start()
        yield crew
    finally:
        for process in crew.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
            crew.killed_at[process.pid] = time.monotonic()
        os.close(theirs)
        await listening


async def _fail(fault: str, server: Server, crew: Crew, durable: Durable, chance: Random) -> None:
    if fault == "worker":
        await crew.kill(chance.choice(crew.processes))
        await crew.start()
    elif fault == "server":
        await server.kill()
        await server.start()
    else:
        await asyncio.to_thread(durable.server.restart, fault)


async def _stored(database: Database) -> Sequence[Row[str, JobRunStatus, int, int, int]]:
    columns = select(JobRun.id, JobRun.status, JobRun.attempt, JobRun.retries, JobRun.lost_claims)
    async with database.reads.connect() as connection:
        return (await connection.execute(columns)).all()


async def _finishes(database: Database) -> Sequence[int]:
    """Return how often each run was finished, by its events."""
    ends = select(func.count()).where(Event.action == EventAction.RUN_FINISHED).group_by(Event.subject_id)
    async with database.reads.connect() as connection:
        return (await connection.scalars(ends)).all()


def _outcome(
    found: Executions, stored: Sequence[Row[str, JobRunStatus, int, int, int]], faults: int, seconds: float
) -> Outcome:
    again = sum(each.retries + each.lost_claims for each in stored)
    return Outcome(
        fault=f"{WORKERS} workers, the server and PostgreSQL killed, {len(stored) / seconds:.0f} runs per second",
        database="postgresql",
        injected=faults,
        answered=len(found.all),
        acknowledged=len(stored),
        failed=f"{again} leases lost",
        no_retry_after=0,  # its workers repeat everything that fails
        lost=0,
        half_written=0,
    )
