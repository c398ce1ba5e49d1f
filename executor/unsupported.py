"""What compiled code leaves to graphql-core."""

from collections.abc import Iterable, Iterator
from inspect import CORO_CREATED, getcoroutinestate
from traceback import walk_tb
from types import CoroutineType, FrameType
from typing import TypeGuard

SOURCE = "<operation>"  # the file name of compiled code


class Unsupported(Exception):
    """Compiled code doesn't support this, or a value of this kind, but graphql-core does."""

    def __init__(self, reason: str, value: object = None) -> None:
        super().__init__(reason)
        self.value = value


def value_of(failure: Exception | None) -> object:
    """Return the value that ended compiled code because of its kind, if one did."""
    return failure.value if isinstance(failure, Unsupported) else None


def left_by(failure: Exception) -> list[object]:
    """Return what compiled code had read when it failed. Lists in it may have coroutines that it didn't come to."""
    frames = [frame for frame, _ in walk_tb(failure.__traceback__) if frame.f_code.co_filename == SOURCE]
    return [value_of(failure), *(value for frame in frames for value in _read_in(frame))]


def _read_in(frame: FrameType) -> Iterator[object]:
    given = frame.f_code.co_varnames[: frame.f_code.co_argcount]  # by the application: the root and the context
    return (value for name, value in frame.f_locals.items() if name not in given)


def close_unawaited(values: Iterable[object]) -> None:
    """Close coroutines that were never started, also those in lists: Python would warn of them.

    graphql-core calls plain resolvers again, and awaits what they return then.
    """
    for each in _coroutines(values):
        if getcoroutinestate(each) == CORO_CREATED:
            each.close()


def is_coroutine(value: object) -> "TypeGuard[CoroutineType[object, object, object]]":
    """Return whether a value is a coroutine. `isinstance` may fail: it reads `__class__`, which a value may define."""
    return type(value) is CoroutineType


def _coroutines(values: Iterable[object]) -> "Iterator[CoroutineType[object, object, object]]":
    waiting = [*values]
    seen = set[int]()  # lists may contain themselves
    while waiting:
        each = waiting.pop()
        if is_coroutine(each):
            yield each
        elif (type(each) is list or type(each) is tuple) and id(each) not in seen:
            seen.add(id(each))
            waiting += each
