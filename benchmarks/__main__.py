"""`make bench`: Mainsheet beside other servers; `python -m benchmarks sql`: Mainsheet beside its own SQL."""

import argparse
import asyncio
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import data, node, processor, sql
from benchmarks.answers import verify
from benchmarks.measure import CONNECTIONS, Effort, Sample, measure
from benchmarks.plot import plot
from benchmarks.report import Facts, report
from benchmarks.servers import OTHER_CPU, Server, every_server, started

RESULTS = Path(__file__).parent / "results"
FULL = Effort(rounds=5, warm_up_seconds=3, seconds=2.5)
QUICK = Effort(rounds=2, warm_up_seconds=1, seconds=0.8)
VERIFIED = 5


def main() -> None:
    asked = _arguments()
    if asked.kind == "sql":
        asyncio.run(sql.main(quick=asked.quick))
        return
    servers = [each for each in every_server() if _is_asked(each, asked)]
    effort = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as logs, data.database() as url:
        asyncio.run(_fill(url))
        with started(servers, url, Path(logs)) as running, processor.started_on(OTHER_CPU):
            facts, samples = asyncio.run(_measured(running, url, effort))
    name = "quick" if asked.quick or asked.only else "table"
    _write(servers, facts, samples, name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("kind", nargs="?", choices=("servers", "sql"), default="servers")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, no Node servers")
    parser.add_argument("--only", type=lambda names: names.split(","), help="these servers: mainsheet,hand,…")
    return parser.parse_args()


def _is_asked(server: Server, asked: argparse.Namespace) -> bool:
    return server.name in asked.only if asked.only else server.is_quick or not asked.quick
