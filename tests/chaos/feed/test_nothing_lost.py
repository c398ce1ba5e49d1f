"""Nothing is lost: under all faults, each reader of a feed gets each event of the table once, in its order.

Three servers on two hosts, each with two workers, use a primary PostgreSQL and its synchronous standby. The events of
one organization come from a crowd's mutations. Those of the other come from transactions of random length that write
as commands do, and from applied documents. Webhooks deliver at least once, in the order of each object, so their
repeated deliveries are left out.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import aiohttp
import pytest

from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from testbed.hosts import Host, hosts
from tests.chaos.conftest import Verdict, is_full
from tests.chaos.crowd import Crowd, crowd_at
from tests.chaos.feed.databases import Pair, replicated_pair
from tests.chaos.feed.faults import WORKERS, Faults, every
from tests.chaos.feed.feeds import Feed, is_of, make_feeds
from tests.chaos.feed.readers import PAGE, Poller
from tests.chaos.feed.receiver import Receiver, by_order_key
from tests.chaos.feed.writers import Work, apply_jobs, hold, write_directly
from tests.chaos.ledger import Result
from tests.chaos.server import Server, serving_by
from tests.server.commands import MAINSHEET

SEED_VARIABLE = "TEST_SEED"
WRITERS = 8  # besides the crowd's 8
WEBHOOK_RETRY_SECONDS = 0.5  # how often failed deliveries become due at once
UNLIMITED = {"points_per_minute": 0, "database_seconds_per_minute": 0, "max_operations_per_caller": 50}
MAY_FAIL = {Result.UNAVAILABLE, Result.UNSURE, Result.CUT}


@dataclass(frozen=True)
class Size:
    """How much is done in total, and before each fault."""

    events: int  # written directly
    longest: int  # the most events of a transaction
    apart: int  # the most changes of the crowd between two transactions of a writer
    ahead: int  # the most messages that a reader may have still to get before writers wait for it
    clusters: int  # that events are about
    subscribed: int  # of these clusters
    delivered: int  # to the webhook, of these clusters
    changes: int  # of the crowd before each fault
    most: int  # events or requests before a reader cuts itself off
    failures: float  # the share of webhooks' requests that fail
    patience: float  # seconds for the readers to come to the end


FULL = Size(1_000_000, 500, 1, 200, 1_000, 10, 2, 50, 500, 0.01, 3_600)
SHORT = Size(100, 10, 50, 200, 5, 5, 2, 5, 30, 0.05, 180)


@dataclass
class Scene:
    size: Size
    chance: Random
    pair: Pair
    crowd: Crowd
    servers: Sequence[Server]
    receiver: Receiver
    http: aiohttp.ClientSession
    database: Database
    mutated: Feed
    written: Feed
    clusters: Sequence[Cluster]
    faults: Faults
    say: Callable[[str], None]
    injected: Counter[str] = field(default_factory=Counter)

    def work(self) -> Work:
        async def pause() -> None:
            if self.size.apart:
                await self.crowd.changes(self.chance.randint(1, self.size.apart))

        async def keep_pace() -> None:
            while not work.is_over and self.messages_behind(work) > self.size.ahead:
                await self.crowd.changes(1)

        work = Work(self.size.longest, pause, keep_pace)
        return work

    def messages_behind(self, work: Work) -> float:
        """Return how many messages the slowest reader has still to get. Pollers get pages."""
        feed, written = self.written, work.of_subjects
        subscribed, delivered = (sum(written[each] for each in own or ()) for own in (feed.subscribed, feed.delivered))
        waiting = [
            (written.total() - len(each.seen)) / PAGE if isinstance(each, Poller) else subscribed - len(each.seen)
            for each in feed.readers
        ]
        return max(*waiting, delivered - len(self.receiver.stored[feed.name]))

    async def write_under_faults(self) -> Work:
        """Write at least so many events, and inject all faults at least once meanwhile."""
        work = self.work()
        async with self.crowd.at_work(*self.servers), asyncio.TaskGroup() as tasks:
            for _ in range(WRITERS):
                own = Random(self.chance.random())
                tasks.create_task(write_directly(self.database, self.clusters, self.written.admin_id, work, own))
            foreign, token = self.crowd.world.foreign, self.written.token
            tasks.create_task(apply_jobs(self.servers, self.http, token, foreign, work, self.chance))
            tasks.create_task(hold(self.database, work, self.chance))
            try:
                await self.inject_all(work)
            finally:
                await work.end()  # also after an error, so that the writers end
        return work

    async def inject_all(self, work: Work) -> None:
        while not self.injected or work.done["events"] < self.size.events:
            for inject in self.faults.in_order():
                await self.faults.between()
                await self.recovered_from(inject, work)

    async def recovered_from(self, inject: Callable[[], Awaitable[None]], work: Work) -> None:
        name = inject.__name__
        self.say(name)
        self.injected[name] += 1
        await inject()
        await self.crowd.recovered()
        acknowledged = self.crowd.ledger.done.total()
        self.say(f"{name}; {acknowledged} mutations, {dict(work.done)}, read {self.positions()}")

    def positions(self) -> list[int]:
        readers = [len(each.seen) for feed in (self.mutated, self.written) for each in feed.readers]
        return [*readers, *(len(each) for each in self.receiver.stored.values())]


async def test_each_reader_gets_each_event_in_order_under_all_faults(
    tmp_path: Path, verdict: Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, began = int(os.environ.get(SEED_VARIABLE) or time.time()), time.monotonic()

    def say(what: str) -> None:
        with capsys.disabled():
            sys.stderr.write(f"{time.monotonic() - began:6.1f} s {SEED_VARIABLE}={seed} {what}\n")

    async with AsyncExitStack() as stack:
        scene = await staged(stack, FULL if is_full() else SHORT, Random(seed), tmp_path, say)
        feeds, stopped = (scene.mutated, scene.written), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            retrying = tasks.create_task(every(WEBHOOK_RETRY_SECONDS, scene.faults.retry_now, stopped))
            reading = [tasks.create_task(each.read()) for feed in feeds for each in feed.readers]
            work = await scene.write_under_faults()
            for each in feeds:
                await each.end(scene.database)
            tables = [await each.events(scene.database) for each in feeds]
            say(f"all is written: {[len(each) for each in tables]} events")
            async with asyncio.timeout(scene.size.patience):
                await asyncio.gather(*reading)
                say(f"readers have ended: {scene.positions()}")
                for feed, table in zip(feeds, tables, strict=True):
                    await scene.receiver.has(feed.name, {each.id for each in table if is_of(each, feed.delivered)})
            stopped.set()
            await retrying

        for feed, table in zip(feeds, tables, strict=True):
            expect_all(feed, table, scene.receiver)
        interruptions = sum((each.interruptions for feed in feeds for each in feed.readers), Counter())
        say(f"{dict(interruptions)}; webhooks: {scene.receiver.failed} failed, {scene.receiver.doubles} repeated")
        assert work.done["events"] >= scene.size.events
        fault = "all faults, with readers of the feed"
        await verdict(fault, scene.pair.direct_url, scene.crowd, scene.injected.total(), MAY_FAIL)


def expect_all(feed: Feed, table: list[Event], receiver: Receiver) -> None:
    for reader in feed.readers:
        subjects = None if isinstance(reader, Poller) else feed.subscribed
        assert reader.seen == [each.id for each in table if is_of(each, subjects)], type(reader).__name__
    own = {each.id: each for each in table if is_of(each, feed.delivered)}
    delivered = [own[each] for each in receiver.stored[feed.name] if each in own]
    assert by_order_key(delivered) == by_order_key(list(own.values()))
    numbers = Counter[str | None]()
    for each in table:
        assert each.job_id is None or each.number > numbers[each.job_id]
        numbers[each.job_id] = each.number


async def staged(stack: AsyncExitStack, size: Size, chance: Random, folder: Path, say: Callable[[str], None]) -> Scene:
    two = stack.enter_context(hosts(2))
    address = two[0].gateway
    pair = await stack.enter_async_context(replicated_pair(address))
    say("the database and its standby are ready")
    crowd = await stack.enter_async_context(crowd_at(pair.url, seed=chance.randint(0, 1_000)))
    servers = await started(stack, pair, [*two, two[0]], folder)
    say("all servers are ready")
    receiver = Receiver(address, Random(chance.random()), size.failures)
    await receiver.start()
    stack.push_async_callback(receiver.stop)
    http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    database = Database.open(pair.url, pool_size=3 * (WRITERS + 2))
    stack.push_async_callback(database.close)
    mutated, written, clusters = await make_feeds(database, crowd.world, size.clusters, size.subscribed, size.delivered)
    for each in (mutated, written):
        await each.create_webhook(http, servers[0], receiver)
        await each.add_readers(http, servers, chance, size.most)
    faults = Faults(servers, pair, receiver, Random(chance.random()), partial(crowd.changes, size.changes))
    return Scene(size, chance, pair, crowd, servers, receiver, http, database, mutated, written, clusters, faults, say)


async def started(stack: AsyncExitStack, pair: Pair, places: Sequence[Host], folder: Path) -> list[Server]:
    """Start a server on each of these hosts."""
    contexts = [
        serving_by(
            (*each.enter, MAINSHEET),
            pair.url,
            folder / f"log{number}",
            *("--host", each.address, "--workers", str(WORKERS)),
            webhook_networks=places[0].gateway,
            pool_size=6,
            **UNLIMITED,
        )
        for number, each in enumerate(places)
    ]
    return list(await asyncio.gather(*map(stack.enter_async_context, contexts)))
