import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from graphql import parse
from sqlalchemy import text

from mainsheet.executor import Prepared, Request, core_schema
from mainsheet.models.database import PATIENT, Database
from mainsheet.models.replicas import Replicas
from mainsheet.models.roles import AccessScope
from mainsheet.models.unavailable import NoConnection
from mainsheet.resolvers.actor import MEMBERS
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.operations.documents import operation_of
from testbed.ask import EXECUTOR
from testbed.world import World, caller
from tests.server.failing import stalled

REPLICA = "postgresql://mainsheet@replica.invalid/mainsheet"  # nothing connects to it
ASKED: list[Sequence[str]] = []
RENAME = text("UPDATE actor SET name = 'Somebody else' WHERE id = :id")


async def failing(_read: Read, keys: Sequence[str]) -> Mapping[str, str]:
    ASKED.append(keys)
    raise LookupError(f"{len(keys)} keys")


async def test_a_failed_batch_raises_again_without_a_call(database: Database, world: World) -> None:
    context = Context(database, caller(world.admin))
    ASKED.clear()

    for _ in range(2):
        with pytest.raises(LookupError, match="2 keys"):
            await context.load_all(failing, ["a", "b"])

    assert ASKED == [["a", "b"]]


async def test_a_failed_batch_is_called_for_other_keys(database: Database, world: World) -> None:
    context = Context(database, caller(world.admin))
    ASKED.clear()

    for keys in (["a", "b"], ["b"]):
        with pytest.raises(LookupError):
            await context.load_all(failing, keys)

    assert ASKED == [["a", "b"], ["b"]]


async def test_a_load_ends_with_its_context(database: Database, world: World) -> None:
    context, has_begun, ends = Context(database, caller(world.admin)), asyncio.Event(), asyncio.Event()

    async def endless(_read: Read, _keys: Sequence[str]) -> Mapping[str, str]:
        has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.set()
        return {}

    waiting = context.load(endless, "a")
    await has_begun.wait()
    waiting.cancel()
    await context.close()

    async with asyncio.timeout(10):
        await ends.wait()


async def test_a_cancelled_switch_still_closes_the_snapshot(
    database_url: str, database: Database, world: World
) -> None:
    alone, asker = Database.open(database_url, pool_size=1), caller(world.contributor)
    context = Context(alone, asker)
    before = context.read

    async with stalled(alone, database) as runs:
        reading = asyncio.create_task(MEMBERS.by_ids(before, [asker.actor_id]))
        await runs()
        looking = asyncio.create_task(context.switch_to(Read.of(alone, asker)))
        await asyncio.sleep(0)
        looking.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([looking, reading])
    await context.close()

    assert looking.cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        await MEMBERS.by_ids(before, [asker.actor_id])
    await alone.close()


@pytest.mark.parametrize(
    "query",
    ["{ me { actor { displayName } } }", "{ organization { name } }", "{ jobs(limit: 2) { nodes { jobKey } } }"],
)
async def test_a_single_batch_opens_no_transaction(database: Database, world: World, query: str) -> None:
    """In a transaction a later statement would see the name as it was."""
    asker = caller(world.contributor)
    context, document = Context(database, asker), parse(query)

    prepared = Prepared(core_schema(api), document, operation_of(document, None))
    result = await EXECUTOR.execute(Request(prepared, None, context, asker))

    async with database.writes.begin() as connection:
        await connection.execute(RENAME, {"id": asker.actor_id})
    later = await MEMBERS.by_ids(context.read.only(None, alone=True), [asker.actor_id])
    await context.close()

    assert result.errors is None
    assert later[asker.actor_id].name == "Somebody else"


async def test_leaving_a_replica_gives_no_right_to_read(database: Database, world: World) -> None:
    context = Context(database, replace(caller(world.admin), scopes=frozenset({AccessScope.RUNS})))
    [replica] = Replicas.open(database, [REPLICA], PATIENT, 5).all
    context.read_from(replica)

    assert await context.leave_replica(NoConnection())

    assert not context.may_read
