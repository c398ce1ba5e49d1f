"""Limits the size of a response. It is counted while it is built, so that one over the limit is never completed."""

from dataclasses import dataclass
from functools import cache
from sys import maxsize
from typing import Any, Self

from graphql import ExecutionResult

UNBOUNDED = maxsize
FIRST_STEP = 32 * 1024  # what a compiled program builds before its first check, in a millisecond at most
STEP = 4 * 1024  # bytes between two checks of the size and of the time; they take a fraction of a millisecond
STEP_BY_VALUE = 256  # the same, where each value is completed by itself: that takes ten times as long
# Compiled code counts bytes and values in one number, `bytes * BYTE + values`: two would cost more, and so would an
# integer of several digits. A value takes two bytes or more, so counts up to 128 MiB are exact.
BYTE = 2.0**26
NULL = 4
NUMBER = 1
COMMA = 1
TEXT = 2  # its quotes
ENTRY = 4  # of an object: quotes, a colon, a comma


class AnswerTooLarge(Exception):
    """The response would be at least `size` bytes of JSON, but the limit is `limit`."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"The answer is too large: at least {size} bytes, at most {limit}.")
        self.size = size
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Extent:
    """The minimum size of a value in JSON, and how many values it has.

    Values are the entries of its objects and the items of its lists. An entry that is a list isn't counted itself.
    """

    size: int
    values: int

    @classmethod
    def of(cls, count: float) -> Self:
        size, values = divmod(count, BYTE)
        return cls(int(size), int(values))


def check(size: int, limit: int) -> None:
    if size > limit:
        raise AnswerTooLarge(size, limit)


def size_of(value: Any) -> int:
    """Return the estimated size of any scalar. One that can't be written as a text, such as a huge number, has none."""
    if value is None:
        return NULL
    try:
        return len(value if isinstance(value, str) else str(value))
    except Exception:  # noqa: BLE001 the encoder decides whether it can be sent
        return 0


def bounded(base: Any, limit: int) -> Any:
    """Return a subclass of graphql-core's executor that counts keys and leaf values.

    Beyond the limit it builds no more values and the whole response is discarded. All root fields of a mutation are
    executed anyway.
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
