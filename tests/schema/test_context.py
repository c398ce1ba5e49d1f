from collections.abc import Mapping, Sequence

import pytest

from models.database import Database
from resolvers.read import Read
from schema.context import Context
from tests.world import World, caller

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
