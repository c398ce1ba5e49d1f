"""How large an answer may become, counted while it is made, so that what is too large is never in memory."""

from asyncio import sleep
from collections.abc import Awaitable, Callable
from functools import cache
from sys import maxsize
from typing import Any

from graphql import ExecutionResult

UNBOUNDED = maxsize
STEP = 64 * 1024  # others have their turn after so many bytes: to make them takes a few milliseconds
NULL = 4
NUMBER = 1
COMMA = 1
TEXT = 2  # its quotes
ENTRY = 4  # of an object: quotes, a colon, a comma


class AnswerTooLarge(Exception):
    """The answer would have more bytes of JSON than allowed: at least `size`, where `limit` is the most."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"The answer is too large: at least {size} bytes, at most {limit}.")
        self.size = size
        self.limit = limit


def check(size: int, limit: int) -> None:
    if size > limit:
        raise AnswerTooLarge(size, limit)


def pausing(limit: int) -> Callable[[int], Awaitable[int]]:
    """Return what the source calls now and then: it checks the size, lets others go on, and says when to call again."""

    async def pause(size: int) -> int:
        check(size, limit)
        await sleep(0)
        return size + STEP

    return pause


def size_of(value: Any) -> int:
    """Return the size of a scalar of any type, estimated."""
    return NULL if value is None else len(value if isinstance(value, str) else str(value))


def bounded(base: Any, limit: int) -> Any:
    """Derive from graphql-core's executor one that counts keys and leaves.

    Beyond the limit it makes no further ones, and the answer is discarded as a whole. Root fields of a mutation are all
    executed nevertheless.
    """
    return _bounded(base, limit)


@cache
def _bounded(base: Any, limit: int) -> Any:
    execute_fields, complete_leaf_value = base.execute_fields, base.complete_leaf_value

    class Bounded(base):  # type: ignore[misc]  # chosen at run time
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.size = 0

        def execute_fields(self, parent: Any, source: Any, path: Any, fields: Any, *more: Any) -> Any:
            if self.size > limit:
                return {}
            self.size += len("".join(fields)) + ENTRY * len(fields)
            return execute_fields(self, parent, source, path, fields, *more)

        def complete_leaf_value(self, return_type: Any, result: Any) -> Any:
            if self.size > limit:
                return ""
            value = complete_leaf_value(return_type, result)
            self.size += len(value) if value.__class__ is str else size_of(value)
            return value

        def build_response(self, data: Any) -> ExecutionResult:
            check(self.size, limit)
            response: ExecutionResult = super().build_response(data)
            return response

    return Bounded
