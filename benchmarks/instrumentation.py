"""`python -m benchmarks.instrumentation`: what logs, metrics and traces add to the server's CPU time of a request.

The same server without any, with metrics only, with the default log, with JSON, and with 1 % of traces. Each round has
one turn of each, and its ratios are to the server without any in that round. About four minutes; writes
results/instrumentation.md. `--quick` takes one minute, and only prints.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from aiohttp import web

from benchmarks import data, processor
from benchmarks.measure import Effort, Sample, measure
from benchmarks.report import server as server_cpu
from benchmarks.report import short, values
from benchmarks.servers import OTHER_CPU, Server, every_server, started
from benchmarks.workloads import WORKLOADS

RESULT = Path(__file__).parent / "results" / "instrumentation.md"
FULL = Effort(rounds=36, warm_up_seconds=2, seconds=0.4)  # short, as the speed of a shared machine changes
QUICK = Effort(rounds=3, warm_up_seconds=1, seconds=0.8)
NONE = "none"
LEVEL, FORMAT = "MAINSHEET_LOG_LEVEL", "MAINSHEET_LOG_FORMAT"


def servers(collector: str) -> list[Server]:
    (mainsheet, *_) = every_server()
    traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    traces["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio"
    bare = [sys.executable, "-m", "benchmarks.uninstrumented", *mainsheet.command[1:]]
    return [
        replace(mainsheet, name=NONE, title="no logs, no metrics", command=bare),
        _with(mainsheet, "metrics", "metrics, no line for each request", {LEVEL: "warning"}),
        _with(mainsheet, "console", "the default: metrics, and the log for people", {LEVEL: "info"}),
        _with(mainsheet, "json", "metrics, and the log as JSON", {LEVEL: "info", FORMAT: "json"}),
        _with(mainsheet, "traces", "the same, and traces at 1 %", {LEVEL: "info", FORMAT: "json", **traces}),
    ]


def _with(mainsheet: Server, name: str, title: str, environment: dict[str, str]) -> Server:
    return replace(mainsheet, name=name, title=title, environment={**mainsheet.environment, **environment})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instrumentation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; nothing is written")
    asked = parser.parse_args()
    effort = QUICK if asked.quick else FULL
    with data.database() as url:
        data.fill(url)
        text = asyncio.run(_measured(url, effort))
    print(text)
    if not asked.quick:
        RESULT.write_text(text, "utf-8")


async def _measured(url: str, effort: Effort) -> str:
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as logs:
        async with _collector() as collector:
            kinds = servers(collector)
            with started(kinds, url, Path(logs)) as running, processor.started_on(OTHER_CPU):
                calls, (postmaster, _) = await data.calls(url), await data.postmaster(url)
                samples = await measure(running, calls, postmaster, effort, print)
    return "\n".join([*_report(kinds, samples, effort), ""])


@asynccontextmanager
async def _collector() -> AsyncIterator[str]:
    """Take spans and forget them."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}"
    await runner.cleanup()


def _report(kinds: Sequence[Server], samples: Sequence[Sample], effort: Effort) -> Iterator[str]:
    yield "# The cost of logs, metrics and traces\n"
    yield f"By `python -m benchmarks.instrumentation`, {datetime.now(UTC):%d %B %Y}: the server's CPU time of a request"
    yield f"in milliseconds, the median of {effort.rounds} interleaved rounds, and its median ratio to the server"
    yield f"without logs and metrics in the same round. The machine's load at the end was {os.getloadavg()[0]:.1f}.\n"
    yield f"| | {' | '.join(each.title for each in WORKLOADS)} |"
    yield f"|---|{'---|' * len(WORKLOADS)}"
    for kind in kinds:
        yield f"| {kind.title} | {' | '.join(_cells(kind, samples))} |"


def _cells(kind: Server, samples: Sequence[Sample]) -> Iterator[str]:
    for workload in WORKLOADS:
        own, bare = (values(samples, name, workload, server_cpu) for name in (kind.name, NONE))
        ratios = [one / other for one, other in zip(own, bare, strict=True)]
        yield f"{short(median(own)) if median(own) >= 1 else format(median(own), '.3f')} ({median(ratios):.3f})"


if __name__ == "__main__":
    main()
