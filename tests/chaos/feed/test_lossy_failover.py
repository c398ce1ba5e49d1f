"""A failover that loses the newest events: readers that saw them get all events of the new primary."""

from typing import Any

from mainsheet.models.database import Database
from mainsheet.models.feed import follow_timelines
from testbed.ask import Ask
from testbed.databases import opened
from testbed.world import World, make_world
from tests.chaos.feed.databases import Pair, replicated_pair
from tests.chaos.standbys import are_streaming, configure

FEED = "query ($after: String) { events(after: $after) { nodes { message } pageInfo { endCursor } } }"
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
LOST, NEW = 5, 10


async def test_a_reader_of_lost_events_gets_all_new_ones() -> None:
    async with replicated_pair("127.0.0.1") as pair:
        async with opened(pair.direct_url) as database:
            follow_timelines(database)
            world = await make_world(database)
            job_id = await Ask(database).create_job(world.contributor, world)
            await let_standby_fall_behind(pair)
            await update(database, world, job_id, "lost", LOST)
            seen = await feed(database, world)
            assert seen["nodes"][-1] == {"message": f"lost {LOST - 1}"}
        await pair.promote()

        async with opened(pair.direct_url) as database:
            follow_timelines(database)
            await update(database, world, job_id, "new", NEW)
            new = await feed(database, world, seen["pageInfo"]["endCursor"])

    assert new["nodes"] == [{"message": f"new {number}"} for number in range(NEW)]


async def let_standby_fall_behind(pair: Pair) -> None:
    """Stop replication, after the standby has all that was committed."""
    assert pair.standby
    await configure(pair.standby, "ALTER SYSTEM SET primary_conninfo = ''")
    await are_streaming(pair.primary, 0)
    await configure(pair.primary, "ALTER SYSTEM RESET synchronous_standby_names")


async def update(database: Database, world: World, job_id: str, name: str, count: int) -> None:
    for number in range(count):
        values = {"jobId": job_id, "name": f"{name} {number}", "message": f"{name} {number}"}
        answer = await Ask(database)(world.contributor, UPDATE, input=values)
        assert answer["updateJob"]["userErrors"] == []


async def feed(database: Database, world: World, after: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = (await Ask(database)(world.admin, FEED, after=after))["events"]
    return found
