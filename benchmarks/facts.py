"""What a result must say of itself: when, on what, with which versions, how long."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import node
from benchmarks.data import CALLERS, JOBS
from benchmarks.measure import CONNECTIONS, Effort
from benchmarks.servers import ROOT, Running

PACKAGES = ("aiohttp", "asyncpg", "graphql-core", "orjson", "sqlalchemy", "uvloop")
NODE_PACKAGES = ("graphql", "fastify", "pg")


@dataclass(frozen=True)
class Facts:
    date: str
    titles: Mapping[str, str]
    lines: Sequence[str]


def facts(running: Sequence[Running], postgres: str, effort: Effort, sizes: Mapping[str, int]) -> Facts:
    servers = [each.server for each in running]
    titles = {each.name: f"{each.title} {each.version()}".strip() for each in servers}
    python = [f"{name} {version(name)}" for name in PACKAGES]
    javascript = [f"{name} {node.package_version(name)}" for name in NODE_PACKAGES]
    with_node = [f"Node {node.version()}: {', '.join(javascript)}."] if any(each.needs_node for each in servers) else []
    lines = [
        f"Mainsheet at {_commit()}; PostgreSQL {postgres}, {JOBS:,} jobs, {CALLERS} callers in turn.",
        f"Python {platform.python_version()}: {', '.join(python)}.",
        *with_node,
        f"{platform.system()} {platform.release()} on {os.cpu_count()} CPUs, {_processor()}; load before: {_load()}.",
        f"Medians of {effort.rounds} interleaved rounds of {effort.seconds:g} s over {CONNECTIONS} connections.",
        f"Bytes of an answer: {', '.join(f'{name} {size:,}' for name, size in sizes.items())}.",
    ]
    return Facts(datetime.now(UTC).strftime("%Y-%m-%d"), titles, lines)


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"commit {found.stdout.strip()}" if found.returncode == 0 else "no commit"


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _load() -> str:
    return f"{os.getloadavg()[0]:.2f}"
