"""Runs coroutines without an event loop."""

from collections.abc import Awaitable, Callable, Coroutine
from threading import local
from typing import Any, TypeVar

from mainsheet.executor.bounds import check
from mainsheet.executor.turns import next_turn

T = TypeVar("T")


class _Thread(local):
    finishes = False


_THREAD = _Thread()


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its result. It must not wait. Checkpoints don't while it runs."""
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


def checkpoint(limit: int, step: int, byte: float = 1) -> Callable[[float], Awaitable[float]]:
    """Return a function that checks a size, may wait for its turn, and returns the next size to check.

    Sizes that it takes and returns are multiples of `byte`; `step` is in bytes.

    It doesn't wait while `finished` runs it.
    """

    async def pause(size: float) -> float:
        check(int(size // byte), limit)
        if not _THREAD.finishes:
            await next_turn()
        return size + step * byte

    return pause
