"""Cuts off one host after the other while clients read and change, and records what the clients get."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from benchmarks.workloads import WORKLOADS, Call
from mainsheet.server.http.consistency import ANY, HEADER
from testbed.ask import Ask
from testbed.databases import opened
from testbed.hosts import Host
from testbed.replicated import Replicated
from testbed.world import make_world, token

READERS, WRITERS = 8, 2
BEFORE_SECONDS, CUT_SECONDS, AFTER_SECONDS = 2, 10, 5
PROMOTION_SECONDS = 5  # after the primary is cut off
PATIENCE = ClientTimeout(60)
PAUSE_SECONDS = 0.1  # after a failure
RENAME = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
HEAD = (
    "| cut off | good | 503 with `Retry-After` | 503 without | unsure | other | longest wait | first good"
    " | last failure |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Seen:
    """What the clients of one kind got: the outcomes, each with the times of its request and of its end."""

    outcomes: list[tuple[str, float, float]] = field(default_factory=list)

    def row(self, name: str, cut_at: float) -> str:
        counts = Counter(outcome for outcome, _, _ in self.outcomes)
        kinds = ("good", "unavailable", "without", "unsure", "other")
        good = [end - cut_at for outcome, begin, end in self.outcomes if outcome == "good" and begin > cut_at]
        bad = [end - cut_at for outcome, _, end in self.outcomes if outcome != "good"]
        longest = max(end - begin for _, begin, end in self.outcomes)
        cells = [name, *(str(counts[each]) for each in kinds), f"{longest:.1f} s"]
        cells += [f"{min(good):.1f} s" if good else "none", f"{max(bad):.1f} s" if bad else "none"]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Clients:
    url: str
    http: ClientSession
    calls: Sequence[Call]
    writer: str  # its token
    job_id: str

    async def read(self, call: Call, seen: Seen, stopped: asyncio.Event) -> None:
        point = WORKLOADS[0]
        headers = {"Authorization": f"Bearer {call.token}", HEADER: ANY}
        await self._repeat({"query": point.document, "variables": point.variables(call)}, headers, seen, stopped)

    async def change(self, number: int, seen: Seen, stopped: asyncio.Event) -> None:
        values = {"jobId": self.job_id, "description": f"by client {number}"}
        headers = {"Authorization": f"Bearer {self.writer}"}
        await self._repeat({"query": RENAME, "variables": {"input": values}}, headers, seen, stopped)

    async def _repeat(self, body: Any, headers: dict[str, str], seen: Seen, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            begin = time.monotonic()
            outcome = await self._outcome(body, headers)
            seen.outcomes.append((outcome, begin, time.monotonic()))
            if outcome != "good":
                await asyncio.sleep(PAUSE_SECONDS)

    async def _outcome(self, body: Any, headers: dict[str, str]) -> str:
        try:
            async with self.http.post(self.url, json=body, headers=headers) as response:
                answer = await response.json()
                match response.status:
                    case 200 if "errors" not in answer:
                        return "good"
                    case 503:
                        return "unavailable" if "Retry-After" in response.headers else "without"
                    case 500 | 502:
                        return "unsure"
        except (ClientError, TimeoutError, ValueError):
            pass
        return "other"


async def cut_offs(url: str, databases: Replicated, server: Host, proxy: Host, calls: Sequence[Call]) -> list[str]:
    """Return the rows of the table."""
    async with _clients(url, databases.direct_url, calls) as clients:

        async def promote() -> None:
            await asyncio.sleep(PROMOTION_SECONDS)
            await databases.promote()

        rows = await _cut("a server", server, clients, _nothing)
        proxy.configure("ipv4/tcp_retries2", 3)
        rows += await _cut("a server, with `net.ipv4.tcp_retries2=3` at nginx", server, clients, _nothing)
        rows += await _cut("a replica", databases.standbys[0], clients, _nothing)
        await databases.are_streaming()
        rows += await _cut(f"the primary; promotion after {PROMOTION_SECONDS} s", databases.primary, clients, promote)
    return rows


async def _nothing() -> None:
    pass


async def _cut(name: str, host: Host, clients: Clients, meanwhile: Callable[[], Awaitable[None]]) -> list[str]:
    reads, changes, stopped = Seen(), Seen(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for call in clients.calls[:READERS]:
            tasks.create_task(clients.read(call, reads, stopped))
        for number in range(WRITERS):
            tasks.create_task(clients.change(number, changes, stopped))
        await asyncio.sleep(BEFORE_SECONDS)
        cut_at = time.monotonic()
        host.cut_off()
        try:
            await asyncio.gather(asyncio.sleep(CUT_SECONDS), meanwhile())
        finally:
            host.join()
        await asyncio.sleep(AFTER_SECONDS)
        stopped.set()
    return [reads.row(f"{name}: reads", cut_at), changes.row(f"{name}: changes", cut_at)]


@asynccontextmanager
async def _clients(url: str, database_url: str, calls: Sequence[Call]) -> AsyncIterator[Clients]:
    async with opened(database_url) as database:
        world = await make_world(database)
        job_id = await Ask(database).create_job(world.contributor, world, jobKey="changed")
        writer = await token(database, world.contributor)
    async with ClientSession(connector=TCPConnector(limit=0), timeout=PATIENCE) as http:
        yield Clients(url, http, calls, writer, job_id)
