"""JSON of large data, encoded in pieces so that other requests don't wait for all of it."""

from collections.abc import Iterator
from typing import Any

import orjson

from mainsheet.executor.turns import next_turn

LARGE = 20_000  # fields and list items: about half a megabyte, which takes a millisecond
DEPTH = 5  # levels that are divided: those of `me.jobs.nodes` and one more
CHUNK = 5  # items of a list, each with all that is below it


async def encoded(data: Any) -> bytes:
    """Return the same bytes as `orjson.dumps`."""
    made = []
    for piece in _pieces(data, DEPTH):
        made.append(piece)
        await next_turn()
    return b"".join(made)


def _pieces(value: Any, depth: int) -> Iterator[bytes]:
    if value.__class__ is dict and depth and any(map(_is_nested, value.values())):
        before = b"{"
        for key, each in value.items():
            yield b"%b%b:" % (before, orjson.dumps(key))
            yield from _pieces(each, depth - 1)
            before = b","
        yield b"}"
    elif value.__class__ is list and depth and len(value) > CHUNK:
        before = b"["
        for start in range(0, len(value), CHUNK):
            yield before + orjson.dumps(value[start : start + CHUNK])[1:-1]
            before = b","
        yield b"]"
    else:
        yield orjson.dumps(value)


def _is_nested(value: Any) -> bool:
    return value.__class__ is dict or value.__class__ is list
