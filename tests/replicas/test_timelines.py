"""A standby is promoted, but the old primary still runs and has our connections."""

import asyncio
from math import inf

from sqlalchemy import text

from mainsheet.models.database import PATIENT, Database
from mainsheet.models.replica import IS_PRIMARY, REPLAYED
from mainsheet.models.replicas import Replicas
from testbed.ask import job_input
from testbed.databases import connected, execute
from testbed.postgres import Postgres, standby_of
from testbed.world import World
from tests.chaos.standbys import are_streaming, direct_url, let_follow
from tests.replicas.conftest import replayed, serving
from tests.replicas.test_reads import CREATE, JOBS, count

PLAIN = "CREATE ROLE plain; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain"
BIG = "CREATE TABLE big AS SELECT generate_series(1, 100000)"


async def test_a_replica_that_follows_another_primary_is_not_read(
    database: Database, world: World, primary: Postgres
) -> None:
    with standby_of(primary) as other, standby_of(primary) as replica:
        async with serving(database, world.contributor, [replica]) as ask:
            await ask.until_used()
            await follow(other, replica)
            created = await ask(CREATE, input=job_input(world))
            await ask.replicas.measure()

            read = await ask(JOBS, created.token)

            assert count(read.data) == 1
            assert ask.routes.taken == ["behind"]
        assert await timeline(replica) == 2


async def test_the_primary_among_the_replicas_has_no_lag(database: Database, world: World, primary: Postgres) -> None:
    with standby_of(primary) as promoted:
        await asyncio.to_thread(promoted.promote)
        async with serving(database, world.contributor, [primary, promoted]) as ask:
            await ask.replicas.measure()

            assert ask.replicas.choose() is None
            assert [each.reported_lag() for each in ask.replicas.all] == [0, inf]


async def follow(other: Postgres, replica: Postgres) -> None:
    """Promote the other standby, and let the replica follow it beyond the old primary's position."""
    await let_follow(replica, other)
    await are_streaming(other, 1)  # then the replica isn't ahead of it
    await asyncio.to_thread(other.promote)
    await execute(direct_url(other), PLAIN)
    await execute(direct_url(other), BIG)
    await replayed(other, replica)


async def timeline(replica: Postgres) -> int:
    """Return the timeline after a restart point, as a role without further rights sees it."""
    await execute(replica.url, "CHECKPOINT")
    async with connected(direct_url(replica)) as connection:
        await connection.execute("SET ROLE plain")
        return int((await connection.fetchrow(REPLAYED))["timeline"])


async def test_the_primary_is_recognized_while_its_timeline_begins(database: Database, primary: Postgres) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(text("DELETE FROM wal_timeline"))
    replicas = Replicas.open(database, [direct_url(primary)], PATIENT, 5)

    await replicas.measure()

    assert [each.problem for each in replicas.all] == [IS_PRIMARY]
    await replicas.close()
