"""The table of results."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.fanout.subscribers import PATIENCE
from benchmarks.fanout.turns import SHARE, STEADY_RATE, Effort, Load

TITLES = {"one": "All of one dashboard", "different": "Each of a different member"}


@dataclass(frozen=True)
class Result:
    title: str
    version: str
    workload: str
    bytes_held: float
    steady: Load
    saturated: Load
    busy: Load

    def line(self) -> str:
        cells = [
            f"{self.title} {self.version}",
            f"{self.saturated.server_us:.1f}",
            f"{self.saturated.database_us:.1f}",
            f"{self.bytes_held / 1000:.1f}",
            _whole(self.steady.p99_ms),
            f"{self.saturated.rate:.2f}",
            f"{self.saturated.deliveries / self.saturated.seconds:,.0f}",
            _whole(self.busy.p99_ms),
        ]
        return f"| {' | '.join(cells)} |"


HEAD = """# Subscriptions

By `python -m benchmarks.fanout`, {date}, {cpus} CPUs; the machine's load averages at the end were {load}.

{subscribers:,} WebSocket connections to one process, each with one subscription to changes of jobs: the changed job
with its teams, current version, cluster and latest run. The same SQL changes one job after the other for all servers.
Servers are bound to one CPU; PostgreSQL and the subscribers to another.
"""
COLUMNS = (
    "server",
    "server CPU, µs per delivery",
    "database CPU, µs per delivery",
    "memory, kB per idle subscriber",
    "p99, ms, {rate} changes/s to {steady:,} subscribers",
    "most changes/s",
    "most deliveries/s",
    "p99, ms, at {share:.0f} % of the most changes/s",
)


def _whole(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if math.isfinite(milliseconds) else f"over {1000 * PATIENCE:,}"


def report(results: Sequence[Result], effort: Effort) -> str:
    head = HEAD.format(
        date=f"{datetime.now(UTC):%d %B %Y}",
        cpus=os.cpu_count(),
        load=", ".join(f"{each:.1f}" for each in os.getloadavg()),
        subscribers=effort.subscribers,
    )
    return "\n".join([head, *[line for workload in TITLES for line in _table(results, workload, effort)]])


def _table(results: Sequence[Result], workload: str, effort: Effort) -> Iterator[str]:
    own = [each for each in results if each.workload == workload]
    if not own:
        return
    titles = " | ".join(COLUMNS).format(rate=STEADY_RATE, steady=effort.steady, share=100 * SHARE)
    yield from (f"## {TITLES[workload]}", "", f"| {titles} |", "|---" * len(COLUMNS) + "|")
    yield from (each.line() for each in own)
    yield ""
