"""Runs coroutines without an event loop."""

from collections.abc import Awaitable, Callable, Coroutine
from threading import local
from typing import Any, TypeVar

from mainsheet.executor.bounds import STEP, check, pausing

T = TypeVar("T")


class _Thread(local):
    finishes = False


_THREAD = _Thread()


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its result. It must not wait for anything; checkpoints don't here."""
    before, _THREAD.finishes = _THREAD.finishes, True
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        _THREAD.finishes = before
    coroutine.close()
    raise RuntimeError("GraphQL execution failed to complete synchronously.")


def checkpoint(limit: int) -> Callable[[int], Awaitable[int]]:
    """Return the source's checkpoint: it checks the size, and yields to other tasks unless `finished` runs it."""
    pause = pausing(limit)

    async def go_on(size: int) -> int:
        check(size, limit)
        return size + STEP

    return lambda size: go_on(size) if _THREAD.finishes else pause(size)
