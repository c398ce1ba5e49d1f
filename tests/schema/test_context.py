import asyncio
from collections.abc import Mapping, Sequence

import pytest
from graphql import parse

from mainsheet.executor import Prepared, Request, core_schema
from mainsheet.models.database import Database
from mainsheet.resolvers import member
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.operations.documents import operation_of
from testbed.ask import EXECUTOR
from testbed.world import World, caller

ASKED: list[Sequence[str]] = []


async def failing(_read: Read, keys: Sequence[str]) -> Mapping[str, str]:
    ASKED.append(keys)
    raise LookupError(f"{len(keys)} keys")


async def test_a_batch_that_failed_fails_again_unasked(database: Database, world: World) -> None:
    context = Context(database, caller(world.admin))
    ASKED.clear()

    for _ in range(2):
        with pytest.raises(LookupError, match="2 keys"):
            await context.load_all(failing, ["a", "b"])

    assert ASKED == [["a", "b"]]


async def test_a_batch_that_failed_is_asked_for_other_keys(database: Database, world: World) -> None:
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


async def test_a_snapshot_is_closed_though_the_switch_to_the_next_one_is_cancelled(
    database: Database, world: World
) -> None:
    asker = caller(world.contributor)
    context = Context(database, asker)
    before = context.read

    async with before.snapshot._lock:  # as long as a statement runs
        looking = asyncio.create_task(context.look_at(Read.of(database, asker)))
        await asyncio.sleep(0)
        looking.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([looking])
    await context.close()

    assert looking.cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        await member.by_ids(before, [asker.member_id])


@pytest.mark.parametrize(
    "query", ["{ me { member { name } } }", "{ organization { name } }", "{ jobs(limit: 2) { nodes { jobKey } } }"]
)
async def test_what_asks_the_database_once_opens_no_transaction(database: Database, world: World, query: str) -> None:
    asker = caller(world.contributor)
    context, document = Context(database, asker), parse(query)

    prepared = Prepared(core_schema(api), document, operation_of(document, None))
    result = await EXECUTOR.execute(Request(prepared, None, context, asker))

    driver = context.read.snapshot._driver
    is_open = driver.in_transaction if database.is_sqlite else driver.is_in_transaction()
    await context.close()

    assert result.errors is None
    assert not is_open
