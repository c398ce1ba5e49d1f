"""JSON of large data, encoded in pieces so that other requests don't wait for all of it."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from mainsheet.executor.turns import next_turn

LARGE = 20_000  # fields and list items: about half a megabyte, which takes a millisecond
DEPTH = 8  # levels that are divided: two connections, one below the other, and one more
FEW = 10  # items of a list, each of which is divided
CHUNK = 2  # items of a longer list, which are encoded together


async def encoded(data: Any) -> bytes:
    """Return the same bytes as `orjson.dumps`."""
    made = []
    for piece in _pieces(data, DEPTH):
        made.append(piece)
        await next_turn()
    return b"".join(made)


def _pieces(value: Any, depth: int) -> Iterator[bytes]:
    if not depth or not _has_nested(value):
        yield orjson.dumps(value)
    elif value.__class__ is dict:
        yield from _joined(b"{", ((orjson.dumps(key) + b":", each) for key, each in value.items()), b"}", depth)
    elif len(value) <= FEW:
        yield from _joined(b"[", ((b"", each) for each in value), b"]", depth)
    else:
        before = b"["
        for start in range(0, len(value), CHUNK):
            yield before + orjson.dumps(value[start : start + CHUNK])[1:-1]
            before = b","
        yield b"]"


def _joined(begin: bytes, entries: Iterable[tuple[bytes, Any]], end: bytes, depth: int) -> Iterator[bytes]:
    before = begin
    for key, each in entries:
        yield before + key
        yield from _pieces(each, depth - 1)
        before = b","
    yield end


def _has_nested(value: Any) -> bool:
    items = value.values() if value.__class__ is dict else value if value.__class__ is list else ()
    return any(each.__class__ is dict or each.__class__ is list for each in items)
