"""`python -m benchmarks.fanout`: what subscriptions cost, beside other servers, on the same PostgreSQL.

Each server in turn has subscribers of a dashboard: first all of one member, then each of another member. The same SQL
changes jobs for all of them.
"""

import argparse
import asyncio
import resource
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # has no stubs
import uvloop

from benchmarks import data, processor
from benchmarks.fanout.events import Changes, Member, members
from benchmarks.fanout.report import Result, report
from benchmarks.fanout.servers import LiveServer, live_servers
from benchmarks.fanout.subscribers import Arrivals, Subscriber, opened
from benchmarks.fanout.turns import FEW, SHARE, STEADY_RATE, Crowd, Effort, memory
from benchmarks.servers import OTHER_CPU, Running, started

RESULTS = Path(__file__).parents[1] / "results"
JOBS = 3_000
FULL = Effort(subscribers=5_000, steady=2_000, seconds=10)
QUICK = Effort(subscribers=1_000, steady=400, seconds=4)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fanout", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer subscribers, shorter")
    parser.add_argument("--only", type=lambda names: names.split(","), help="these servers: mainsheet,mercurius,…")
    parser.add_argument("--workload", choices=["one", "different"], help="this workload")
    asked = parser.parse_args()
    effort = QUICK if asked.quick else FULL
    files = 4 * effort.subscribers
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    servers = [each for each in live_servers() if not asked.only or each.server.name in asked.only]
    workloads = [asked.workload] if asked.workload else ["one", "different"]
    with tempfile.TemporaryDirectory(prefix="mainsheet-fanout-") as logs, data.database() as url:
        print(f"Filling PostgreSQL with {JOBS:,} jobs …", flush=True)
        data.fill(url, JOBS)
        with processor.started_on(OTHER_CPU):
            run = Run(url, asyncio.run(members(url, effort.subscribers)), effort, Path(logs))
            results = [run.result(each, workload) for workload in workloads for each in servers]
    text = report(results, effort)
    path = RESULTS / ("quick.fanout.md" if asked.quick or asked.only or asked.workload else "fanout.md")
    path.write_text(text, "utf-8")
    print(f"{text}\nWritten to {path}")


@dataclass(frozen=True)
class Run:
    url: str
    members: Sequence[Member]
    effort: Effort
    logs: Path

    def result(self, live: LiveServer, workload: str) -> Result:
        size = len(self.members)
        subscribing = self.members if workload == "different" else [self.members[0]] * size
        with started([live.server], self.url, self.logs) as (running,):
            result = uvloop.run(self._turn(live, running, workload, subscribing))
        print(result.line(), flush=True)
        return result

    async def _turn(self, live: LiveServer, running: Running, workload: str, subscribing: Sequence[Member]) -> Result:
        postmaster, _ = await data.postmaster(self.url)
        changes, steady_size, seconds = (
            Changes(await asyncpg.connect(self.url)),
            self.effort.steady,
            self.effort.seconds,
        )
        crowd = Crowd(running.pid, postmaster, changes, partial(_opened, live, running.url))
        await crowd.add(subscribing[:FEW])
        before = memory(running.pid)
        await crowd.add(subscribing[FEW:steady_size])
        steady = await crowd.paced(STEADY_RATE, seconds)
        await crowd.add(subscribing[steady_size:])
        held = (memory(running.pid) - before) / (len(subscribing) - FEW)
        saturated = await crowd.saturated(seconds)
        busy = await crowd.paced(SHARE * saturated.rate, seconds)
        crowd.close()
        await changes.connection.close()
        return Result(live.server.title, live.server.version(), workload, held, steady, saturated, busy)


async def _opened(live: LiveServer, url: str, some: Sequence[Member], arrivals: Arrivals) -> Sequence[Subscriber]:
    return await opened(url, [live.headers(each) for each in some], live.document, arrivals)


if __name__ == "__main__":
    main()
