from asyncio import sleep
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")


async def by_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items and let other requests have their turn after each: for work of a millisecond or more."""
    for each in items:
        yield each
        await sleep(0)
