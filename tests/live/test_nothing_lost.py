"""Nothing is lost: readers that are cut and resume see each event of the table once, in its order.

Transactions without events hold the horizon for a random number of changes. Readers poll, and subscribe over WebSocket
and over server-sent events. A webhook whose receiver fails now and then gets each event at least once, those of a job
in their order. With one of the seeds, PostgreSQL sends no notifications, as behind a pooler.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import webhook_delivery
from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_webhooks import done as made
from tests.chaos.feed.receiver import Receiver, by_order_key
from tests.live.conftest import PATIENCE, Live, Start
from tests.webhooks.conftest import sending

UPDATES = "filter: {actions: [JOB_UPDATED]}"
EVENTS = f"subscription ($after: String) {{ events(after: $after, {UPDATES}) {{ id cursor }} }}"
FEED = f"""query ($after: String, $first: Int!) {{ events(after: $after, first: $first, {UPDATES}) {{
  nodes {{ id }} pageInfo {{ endCursor }} }} }}"""
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
JOBS, WRITERS, CHANGES = 3, 4, 12
PATH = "in"
FAILURES = 0.2  # the share of the webhook's requests that fail
SILENT = 2  # the seed without notifications
START = "{ events(last: 1) { pageInfo { endCursor } } }"
Events = Callable[[Live, World, str], AsyncGenerator[Any]]


@pytest.mark.parametrize("seed", [1, SILENT])
async def test_readers_that_are_cut_see_every_event_once(
    start: Start, ask: Ask, world: World, database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, progress = Random(seed), asyncio.Event()
    monkeypatch.setattr(webhook_delivery, "RETRIES", [timedelta()] * len(webhook_delivery.RETRIES))
    if seed == SILENT and not database.is_sqlite:
        async with database.writes.begin() as connection:
            await connection.execute(text("ALTER TABLE event DISABLE TRIGGER event_wake"))
    live = await start(feed_poll_seconds=0.05)
    jobs = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(JOBS)]
    begin = (await ask(world.admin, START))["events"]["pageInfo"]["endCursor"]
    done = asyncio.Event()
    reading = [asyncio.create_task(polled(database, world, begin, done, Random(seed + each))) for each in range(2)]
    reading += [
        asyncio.create_task(subscribed(live, world, begin, events, Random(seed + number)))
        for number, events in enumerate([over_websocket, over_websocket, over_event_stream])
    ]
    holding = asyncio.create_task(held(database, progress, done, chance))

    async with delivered(ask, world, Random(seed)) as receiver, sending(database):
        await asyncio.gather(
            *(written(database, world, jobs, number, progress, Random(seed * number)) for number in range(WRITERS))
        )
        done.set()
        progress.set()
        await holding
        events = await table(database)
        expected = [each.id for each in events]
        async with asyncio.timeout(PATIENCE):
            seen = await asyncio.gather(*reading)
            await receiver.has(PATH, set(expected))

    assert len(expected) == WRITERS * CHANGES
    assert seen == [expected] * len(reading)
    by_id = {each.id: each for each in events}
    assert by_order_key([by_id[each] for each in receiver.stored[PATH]]) == by_order_key(events)
    assert receiver.failed > 0


@asynccontextmanager
async def delivered(ask: Ask, world: World, chance: Random) -> AsyncIterator[Receiver]:
    """Run the receiver of a webhook inside this context. It fails now and then."""
    receiver = Receiver("127.0.0.1", chance, FAILURES)
    await receiver.start()
    try:
        values = {"url": receiver.url(PATH), "filter": {"actions": ["JOB_UPDATED"]}}
        receiver.secrets[PATH] = (await made(ask, world.admin, "createWebhook", **values))["secret"]
        yield receiver
    finally:
        await receiver.stop()


async def written(
    database: Database, world: World, jobs: list[str], number: int, progress: asyncio.Event, chance: Random
) -> None:
    """Change jobs. The idempotency key gives a transaction its number before it waits for the job's lock."""
    ask = Ask(database)
    for change in range(CHANGES):
        name = f"{number} {change}"
        values = {"jobId": chance.choice(jobs), "name": name, "idempotencyKey": name}
        answer = await ask(world.contributor, UPDATE, input=values)
        assert answer["updateJob"]["userErrors"] == []
        progress.set()  # wakes those that wait now
        progress.clear()


async def held(database: Database, progress: asyncio.Event, done: asyncio.Event, chance: Random) -> None:
    """Hold the horizon for a random number of changes, by transactions of which some are rolled back.

    On SQLite, nobody else can write meanwhile.
    """
    while not done.is_set():
        async with database.writes.connect() as connection:
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_current_xact_id()"))
                for _ in range(chance.randint(0, 3)):
                    if not done.is_set():
                        await progress.wait()
            await (connection.commit if chance.random() < 0.5 else connection.rollback)()


async def polled(database: Database, world: World, after: str, done: asyncio.Event, chance: Random) -> list[str]:
    """Read pages of random sizes until the feed ends after the last change."""
    ask, seen = Ask(database), list[str]()
    while True:
        is_last = done.is_set()
        page = (await ask(world.admin, FEED, after=after, first=chance.randint(1, 5)))["events"]
        seen += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if is_last and not page["nodes"] and len(seen) == WRITERS * CHANGES:
            return seen


async def subscribed(live: Live, world: World, after: str, events: Events, chance: Random) -> list[str]:
    """Subscribe, take a random number of events, cut the connection and resume."""
    seen: list[str] = []
    while len(seen) < WRITERS * CHANGES:
        async with aclosing(events(live, world, after)) as received:
            for _ in range(min(chance.randint(1, 10), WRITERS * CHANGES - len(seen))):
                event = await anext(received)
                seen.append(event["id"])
                after = event["cursor"]
    return seen


async def over_websocket(live: Live, world: World, after: str) -> AsyncGenerator[Any]:
    async with live.socket(world.admin) as socket:
        await socket.subscribe("1", EVENTS, after=after)
        while True:
            yield (await socket.receive())["payload"]["data"]["events"]


async def over_event_stream(live: Live, world: World, after: str) -> AsyncGenerator[Any]:
    async with live.stream(world.admin, EVENTS, after=after) as results:
        async for _, result in results:
            yield orjson.loads(result)["data"]["events"]


async def table(database: Database) -> list[Event]:
    """Return the updates of jobs in the order of the feed."""
    async with AsyncSession(database.reads) as session:
        updates = select(Event).where(Event.action == EventAction.JOB_UPDATED)
        return list(await session.scalars(updates.order_by(Event.position)))
