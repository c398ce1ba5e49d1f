from asyncio import sleep
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")


async def by_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items, and let other tasks run after each. For work that takes a millisecond or more per item."""
    for each in items:
        yield each
        await sleep(0)
