"""`make bench`: Mainsheet beside other servers, on the same PostgreSQL."""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import data, processor, release
from benchmarks.answers import verify
from benchmarks.facts import Facts, facts
from benchmarks.measure import Effort, Sample, measure
from benchmarks.plot import plot
from benchmarks.report import report
from benchmarks.servers import OTHER_CPU, Running, Server, every_server, started

RESULTS = Path(__file__).parent / "results"
FULL = Effort(rounds=5, warm_up_seconds=3, seconds=2.5)
QUICK = Effort(rounds=2, warm_up_seconds=1, seconds=0.8)
VERIFIED = 5


def main() -> None:
    asked = _arguments()
    servers = [each for each in _every_server() if _is_asked(each, asked)]
    effort = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as logs, data.database() as url:
        print(f"Filling PostgreSQL with {data.JOBS:,} jobs …", flush=True)
        data.fill(url)
        if release.SERVER in servers:
            release.fill(url)
        with started(servers, url, Path(logs)) as running, processor.started_on(OTHER_CPU):
            found, samples = asyncio.run(_measured(running, url, effort))
    name = "quick" if asked.quick or asked.only else "table"
    _write(found, samples, name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, no Node servers")
    parser.add_argument("--only", type=lambda names: names.split(","), help="these servers: mainsheet,hand,…")
    return parser.parse_args()


def _every_server() -> list[Server]:
    ours, *others = every_server()
    return [ours, release.SERVER, *others]


def _is_asked(server: Server, asked: argparse.Namespace) -> bool:
    return server.name in asked.only if asked.only else server.is_quick or not asked.quick


async def _measured(running: Sequence[Running], url: str, effort: Effort) -> tuple[Facts, list[Sample]]:
    calls = await data.calls(url)
    if any(each.server is release.SERVER for each in running):
        await release.copy_tokens(url)
    sizes = await verify(running, calls[:VERIFIED])
    print(f"All {len(running)} servers give equal answers of so many bytes: {sizes}", flush=True)
    postmaster, postgres_version = await data.postmaster(url)
    found = facts(running, postgres_version, effort, sizes)
    return found, await measure(running, calls, postmaster, effort, _tell)


def _tell(sample: Sample) -> None:
    print(
        f"{sample.workload:<10} {sample.server:<12} server {sample.server_ms:8.3f} ms   "
        f"database {sample.database_ms:7.3f} ms   p50 {sample.p50_ms:8.2f} ms",
        flush=True,
    )


def _write(found: Facts, samples: Sequence[Sample], name: str) -> None:
    text = report(found, samples, f"{name}.svg")
    (RESULTS / f"{name}.md").write_text(text, "utf-8")
    (RESULTS / f"{name}.svg").write_text(plot(found, samples), "utf-8")
    print(f"\n{text}\nWritten to {RESULTS / name}.md and .svg")


main()
