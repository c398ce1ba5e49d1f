"""`python -m benchmarks.sizing`: the memory of a server process, and the space of the data on PostgreSQL.

Neither depends on what else the machine does. Two minutes; writes results/sizing.md.
"""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientSession, TCPConnector

from benchmarks import data
from benchmarks.load import burst
from benchmarks.servers import MAINSHEET, Running, every_server, started
from benchmarks.workloads import WORKLOADS, Call
from testbed.databases import connected

RESULT = Path(__file__).parent / "results" / "sizing.md"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CONNECTIONS = 500
MEBIBYTE = 2**20
SIZE = "SELECT pg_database_size(current_database())"
SUBSCRIBE = "subscription { events { id action } }"
LIMITS = {"MAINSHEET_MAX_CONNECTIONS_PER_ADDRESS": "2000"}


def main() -> None:
    (mainsheet, *_) = every_server()
    server = replace(mainsheet, environment={**mainsheet.environment, **LIMITS})
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as logs, data.database() as url:
        subprocess.run([MAINSHEET, "db", "upgrade"], env={**os.environ, "MAINSHEET_DATABASE_URL": url}, check=True)
        empty = asyncio.run(_size(url))
        data.fill(url)
        full = asyncio.run(_size(url))
        calls, memory = asyncio.run(data.calls(url)), {}
        for name, use in USES.items():
            with started([server], url, Path(logs)) as (running,):
                memory["start"] = _resident(running)
                memory[name] = asyncio.run(use(running, calls))
        with_workers = replace(server, command=[*server.command, "--workers", "2"])
        with started([with_workers], url, Path(logs)) as (supervisor,):
            memory["supervisor"] = _resident(supervisor)
    text = _report(memory, (full - empty) / data.JOBS)
    RESULT.write_text(text, "utf-8")
    print(text)


async def _size(url: str) -> int:
    async with connected(url) as connection:
        return int(await connection.fetchval(SIZE))


async def _worked(running: Running, calls: Sequence[Call]) -> float:
    """Return the bytes of the process after work."""
    for workload in WORKLOADS:
        requests = [running.request(workload, call)[1] for call in calls]
        await burst(running.url, requests, 8, 5)
    return _resident(running)


async def _idle(running: Running, _calls: Sequence[Call]) -> float:
    """Return the bytes that an idle connection takes."""
    before, target = _resident(running), urlsplit(running.url)
    opening = [asyncio.open_connection(target.hostname, target.port) for _ in range(CONNECTIONS)]
    opened = await asyncio.gather(*opening)
    for reader, writer in opened:  # each has had an answer
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"}")
    used = (_resident(running) - before) / CONNECTIONS
    for _, writer in opened:
        writer.close()
    return used


async def _subscribed(running: Running, calls: Sequence[Call]) -> float:
    """Return the bytes that a subscription and its WebSocket take."""
    before = _resident(running)
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        for number in range(CONNECTIONS):
            call = calls[number % len(calls)]
            socket = await http.ws_connect(running.url, protocols=["graphql-transport-ws"])
            await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {call.token}"}})
            await socket.receive_json()
            await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIBE}})
        await asyncio.sleep(2)  # until the last ones are subscribed
        return (_resident(running) - before) / CONNECTIONS


def _resident(running: Running) -> float:
    return int(Path(f"/proc/{running.pid}/statm").read_text().split()[1]) * PAGE_BYTES


# Each has a new process: it would use memory that the one before has left free.
USES = {"connection": _idle, "subscription": _subscribed, "work": _worked}


def _report(memory: dict[str, float], job: float) -> str:
    return f"""# Sizing

By `python -m benchmarks.sizing` with Mainsheet {version("mainsheet")} on PostgreSQL, {datetime.now(UTC):%d %B %Y}.

| | MiB |
|---|---|
| memory of a process after its start | {memory["start"] / MEBIBYTE:.0f} |
| the same after 15 seconds of the benchmark's queries on {data.JOBS:,} jobs | {memory["work"] / MEBIBYTE:.0f} |
| memory of the supervisor of `--workers` | {memory["supervisor"] / MEBIBYTE:.0f} |
| 1,000 idle connections more | {1000 * memory["connection"] / MEBIBYTE:.0f} |
| 1,000 WebSockets with a subscription each more | {1000 * memory["subscription"] / MEBIBYTE:.0f} |
| space in the database of 1,000 jobs, each with 5 versions and 10 runs, without events | {1000 * job / MEBIBYTE:.1f} |
"""


if __name__ == "__main__":
    main()
