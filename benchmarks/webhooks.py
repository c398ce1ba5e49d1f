"""`python -m benchmarks.webhooks`: how fast one process sends events to webhooks, alone and beside a slow receiver.

The receivers are in this process. The slow one takes seconds for each answer. Each event is of another job, so that
none has to wait for the one before.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks import data, processor
from benchmarks.fanout.events import SQL
from benchmarks.load import ask, post
from benchmarks.processor import spent, tree
from benchmarks.servers import OTHER_CPU, Running, every_server, started
from testbed.databases import connected, execute

RESULT = Path(__file__).parent / "results/webhooks.md"
SLOW_SECONDS = 2
PATIENCE = 300
CREATE = """mutation ($url: String!) {
  createWebhook(input: {url: $url, filter: {actions: [JOB_UPDATED]}}) { webhook { id } userErrors { message } } }"""


@dataclass
class Receiver:
    """Counts what it receives."""

    seconds: float = 0
    received: int = 0
    wanted: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, more: int) -> None:
        self.wanted = self.received + more
        self.done.clear()

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(self.seconds)
        self.received += 1
        if self.received >= self.wanted:
            self.done.set()
        return web.Response()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/", self.handle)
        async with TestServer(app) as server:
            yield str(server.make_url("/"))


@dataclass(frozen=True)
class Result:
    receivers: str
    rate: float
    server_ms: float
    database_ms: float

    def row(self) -> str:
        return f"| {self.receivers} | {self.rate:.0f} | {self.server_ms:.2f} | {self.database_ms:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=3_000)
    asked = parser.parse_args()
    mainsheet = every_server()[0]
    allowed = {"MAINSHEET_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    server = replace(mainsheet, environment={**mainsheet.environment, **allowed})
    with tempfile.TemporaryDirectory(prefix="mainsheet-webhooks-") as logs, data.database() as url:
        data.fill(url, asked.events)
        with started([server], url, Path(logs)) as (running,), processor.started_on(OTHER_CPU):
            results = asyncio.run(_results(running, url, asked.events))
    text = _table(results, asked)
    RESULT.write_text(text, "utf-8")
    print(f"{text}\nWritten to {RESULT}")


async def _results(running: Running, url: str, events: int) -> list[Result]:
    (call, *_) = await data.calls(url)
    await execute(url, """UPDATE access_token SET scopes = '["READ", "WRITE", "ADMIN"]'""")
    await execute(url, f"UPDATE actor SET organization_role = 'ADMIN' WHERE id = '{call.actor_id}'")
    fast, slow = Receiver(), Receiver(SLOW_SECONDS)
    async with fast.running() as to_fast, slow.running() as to_slow:
        await _create(running, call.token, to_fast)
        alone = await _turn(running, url, "a fast one", (fast,), events)
        await _create(running, call.token, to_slow)
        return [alone, await _turn(running, url, "a fast one beside a slow one", (fast, slow), events)]


async def _create(running: Running, token: str, url: str) -> None:
    body = orjson.dumps({"query": CREATE, "variables": {"url": url}})
    answer = orjson.loads(await ask(running.url, post(running.url, {"Authorization": f"Bearer {token}"}, body)))
    assert not answer["data"]["createWebhook"]["userErrors"], answer


async def _turn(running: Running, url: str, name: str, receivers: Sequence[Receiver], events: int) -> Result:
    """Make events, and wait until the first receiver has all of them."""
    fast = receivers[0]
    fast.expect(events)
    before = sum(each.received for each in receivers)
    postmaster, _ = await data.postmaster(url)
    server, database, begun = tree(running.pid), tree(postmaster), time.perf_counter()
    async with connected(url) as connection, asyncio.timeout(PATIENCE):
        for number in range(events):
            await connection.execute(SQL["change"], f"JB{number + 1:018}", f"{name} {number}")
        await fast.done.wait()
    seconds = time.perf_counter() - begun
    delivered = sum(each.received for each in receivers) - before
    of_server, of_database = spent(server, tree(running.pid)), spent(database, tree(postmaster))
    return Result(name, events / seconds, 1000 * of_server / delivered, 1000 * of_database / delivered)


def _table(results: Sequence[Result], asked: argparse.Namespace) -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    rows = "\n".join(each.row() for each in results)
    return f"""# Webhooks

By `python -m benchmarks.webhooks --events {asked.events}` on PostgreSQL, {datetime.now(UTC):%d %B %Y};
the machine's load averages at the end were {load}.

One process sends {asked.events:,} events, each of another job. The slow receiver takes {SLOW_SECONDS} seconds for each
answer. CPU is that of the server and of PostgreSQL for each delivery, with the events' own statements.

| receivers | deliveries/s to the fast one | server CPU, ms | database CPU, ms |
|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    main()
