"""Nothing is lost: readers that are cut and resume see each event of the table once, in its order.

Transactions without events hold the horizon for a random number of changes. Half of the readers poll; the others
subscribe. With one of the seeds, PostgreSQL sends no notifications, as behind a pooler.
"""

import asyncio
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.event import Event
from testbed.ask import Ask
from testbed.world import World
from tests.live.conftest import Start

EVENTS = "subscription ($after: String) { events(after: $after) { id cursor } }"
FEED = """query ($after: String, $first: Int!) { events(after: $after, first: $first) {
  nodes { id } pageInfo { endCursor } } }"""
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
JOBS, WRITERS, CHANGES = 3, 4, 12
SILENT = 2  # the seed without notifications
START = "{ events(last: 1) { pageInfo { endCursor } } }"


@pytest.mark.parametrize("seed", [1, SILENT])
async def test_readers_that_are_cut_see_every_event_once(
    start: Start, ask: Ask, world: World, database: Database, seed: int
) -> None:
    chance, progress = Random(seed), asyncio.Event()
    if seed == SILENT and not database.is_sqlite:
        async with database.writes.begin() as connection:
            await connection.execute(text("ALTER TABLE event DISABLE TRIGGER event_wake"))
    live = await start(feed_poll_seconds=0.05)
    jobs = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(JOBS)]
    begin = (await ask(world.admin, START))["events"]["pageInfo"]["endCursor"]
    done = asyncio.Event()
    reading = [asyncio.create_task(polled(database, world, begin, done, Random(seed + each))) for each in range(2)]
    reading += [asyncio.create_task(subscribed(live, world, begin, done, Random(seed + each))) for each in range(2)]
    holding = asyncio.create_task(held(database, progress, done, chance))

    await asyncio.gather(
        *(written(database, world, jobs, number, progress, Random(seed * number)) for number in range(WRITERS))
    )
    done.set()
    progress.set()
    await holding
    expected = await table(database, len(jobs))

    assert len(expected) == WRITERS * CHANGES
    for seen in await asyncio.gather(*reading):
        assert seen == expected


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


async def subscribed(live: Any, world: World, after: str, done: asyncio.Event, chance: Random) -> list[str]:
    """Subscribe, take a random number of events, cut the connection and resume."""
    seen: list[str] = []
    while len(seen) < WRITERS * CHANGES:
        async with live.socket(world.admin) as socket:
            await socket.subscribe("1", EVENTS, after=after)
            for _ in range(chance.randint(1, 10)):
                event = (await socket.receive())["payload"]["data"]["events"]
                seen.append(event["id"])
                after = event["cursor"]
                if len(seen) == WRITERS * CHANGES:
                    break
    return seen


async def table(database: Database, created: int) -> list[str]:
    async with AsyncSession(database.reads) as session:
        return list(await session.scalars(select(Event.id).order_by(Event.position)))[created:]
