"""`python -m benchmarks.claims` compares claims of runs with those of a queue library, procrastinate, in the same run.

Both are called in this process, one claim after the other, on the same PostgreSQL: a claim, then the report that the
run succeeded. Mainsheet's calls are GraphQL operations without HTTP. Writes results/claims.md.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job, Status
from sqlalchemy import insert, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.job_run import JobRun, JobRunStatus, JobRunTrigger
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers.caller import Caller
from testbed.ask import Ask
from testbed.databases import migrated, postgres_database
from testbed.postgres import postgres
from testbed.world import caller, make_world

RESULTS = Path(__file__).parent / "results" / "claims.md"
QUEUED, TAKEN, ROUNDS, JOBS = 20_000, 100, 3, 20
CLAIM = """
mutation ($input: ClaimRunsInput!) { claimRuns(input: $input) { runs { attempt run { id } } userErrors { message } } }
"""
REPORT = """
mutation ($input: ReportRunsInput!) { reportRuns(input: $input) { results { userErrors { message } } } }
"""
ABOUT = f"""\
# Claims

By `python -m benchmarks.claims`: {QUEUED:,} ready runs of {JOBS} jobs. Each round claims and finishes {TAKEN},
one request after the other; medians of {ROUNDS} rounds, the subjects in turn. *CPU* is that of this process.
A queue keeps no history: Mainsheet also records two events for each run, keeps a lease that another worker's claim
respects, checks the caller's rights, is fair to all jobs, and updates what lists of jobs show.

"""
Take = Callable[[int], Awaitable[None]]


@dataclass(frozen=True)
class Mainsheet:
    """Claims and finishes runs through the schema."""

    ask: Ask
    worker: Caller
    cluster_id: str
    at_once: int

    async def take(self, count: int) -> None:
        for _ in range(0, count, self.at_once):
            given = {"clusterIds": [self.cluster_id], "limit": self.at_once}
            claims = (await self.ask(self.worker, CLAIM, input=given))["claimRuns"]["runs"]
            reports = [
                {"runId": each["run"]["id"], "attempt": each["attempt"], "state": "SUCCEEDED"} for each in claims
            ]
            results = (await self.ask(self.worker, REPORT, input={"reports": reports}))["reportRuns"]["results"]
            assert [each["userErrors"] for each in results] == [[]] * self.at_once


@dataclass(frozen=True)
class Procrastinate:
    """Fetches and finishes jobs as the library's worker does."""

    app: App
    worker_id: int

    async def take(self, count: int) -> None:
        for _ in range(count):
            job = await self.app.job_manager.fetch_job(None, self.worker_id)
            assert job
            assert job.id
            await self.app.job_manager.finish_job_by_id_async(job.id, Status.SUCCEEDED, delete_job=False)


async def _mainsheet(database: Database) -> tuple[Ask, Caller, str]:
    world, ask = await make_world(database), Ask(database)
    jobs = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(JOBS)]
    now = datetime.now(UTC) - timedelta(hours=1)
    same: dict[str, Any] = {"organization_id": world.organization.id, "cluster_id": world.cluster.id, "parameters": []}
    same |= {"version_number": 1, "attempt": 0, "retries": 0, "lost_claims": 0}
    same |= {"status": JobRunStatus.READY, "trigger": JobRunTrigger.MANUAL}
    times = [now + timedelta(milliseconds=number) for number in range(QUEUED)]
    rows = [
        same | {"id": new_id("JR", at), "job_id": jobs[number % JOBS], "created_at": at, "available_at": at}
        for number, at in enumerate(times)
    ]
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(insert(JobRun), rows)
        await session.execute(text("ANALYZE"))
    return ask, replace(caller(world.contributor), scopes=frozenset(AccessScope)), world.cluster.id


async def _procrastinate(app: App) -> int:
    await app.schema_manager.apply_schema_async()
    jobs = [
        Job(id=None, queue=f"job-{number % JOBS}", lock=None, queueing_lock=None, task_name="run", task_kwargs={})
        for number in range(QUEUED)
    ]
    await app.job_manager.batch_defer_jobs_async(jobs)
    await app.connector.execute_query_async("ANALYZE")
    return await app.job_manager.register_worker()


@contextmanager
def _measured(into: list[tuple[float, float]]) -> Iterator[None]:
    begun, used = time.perf_counter(), time.process_time()
    yield
    into.append((time.perf_counter() - begun, time.process_time() - used))


async def _measure(subjects: dict[str, Take]) -> dict[str, tuple[float, float]]:
    """Return the median time and CPU time of a run, in milliseconds, after a round that isn't counted."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for _ in range(ROUNDS + 1):
        for name, take in subjects.items():
            with _measured(times[name]):
                await take(TAKEN)
    scale = 1000 / TAKEN
    return {
        name: (median(wall for wall, _ in own[1:]) * scale, median(cpu for _, cpu in own[1:]) * scale)
        for name, own in times.items()
    }


def table(found: dict[str, tuple[float, float]]) -> str:
    base_wall, base_cpu = found["procrastinate"]
    lines = ["| | runs per second | ms a run | times procrastinate | CPU ms a run | times procrastinate |"]
    lines.append("|---|---|---|---|---|---|")
    for name, (wall, cpu) in found.items():
        values = (f"{1000 / wall:.0f}", *map("{:.2f}".format, (wall, wall / base_wall, cpu, cpu / base_cpu)))
        lines.append(f"| {name} | {' | '.join(values)} |")
    load = os.getloadavg()[0]
    return "\n".join(lines) + f"\n\nThe machine's load was {load:.1f} on {os.cpu_count()} processors.\n"


async def _run(server: str) -> str:
    async with postgres_database(server) as ours, postgres_database(server) as theirs:
        database = Database.open(await migrated(ours))
        url = make_url(theirs)
        address = {"host": str(url.query["host"]), "user": url.username, "dbname": url.database}
        async with App(connector=PsycopgConnector(kwargs=address)).open_async() as app:
            own, worker_id = await _mainsheet(database), await _procrastinate(app)
            subjects: dict[str, Take] = {"procrastinate": Procrastinate(app, worker_id).take}
            for at_once in (1, 10, 100):
                subjects[f"Mainsheet, {at_once} at once"] = Mainsheet(*own, at_once).take
            found = await _measure(subjects)
        await database.close()
    return table(found)


if __name__ == "__main__":
    with postgres() as server:
        result = ABOUT + asyncio.run(_run(server))
    RESULTS.write_text(result)
    print(result)
