from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from mainsheet.executor.turns import next_turn

T = TypeVar("T")


async def by_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items, and let other tasks run between them. For work that takes long."""
    for each in items:
        await next_turn()
        yield each
