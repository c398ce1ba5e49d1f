"""JSON of large data, encoded in pieces so that other requests don't wait for all of it."""

from collections.abc import Iterator
from typing import Any

import orjson

from mainsheet.executor.turns import next_turn

LARGE = 2_000  # fields and list items, which take a fraction of a millisecond
CHUNK = 20  # items of a list


async def encoded(data: Any) -> bytes:
    """Return the same bytes as `orjson.dumps`."""
    made = []
    for piece in _pieces(data):
        made.append(piece)
        await next_turn()
    return b"".join(made)


def _pieces(value: Any) -> Iterator[bytes]:
    if value.__class__ is dict and any(map(_is_nested, value.values())):
        before = b"{"
        for key, each in value.items():
            yield b"%b%b:" % (before, orjson.dumps(key))
            yield from _pieces(each)
            before = b","
        yield b"}"
    elif value.__class__ is list and any(map(_is_nested, value)):
        before = b"["
        for chunk in _chunks(value):
            yield before
            yield from chunk
            before = b","
        yield b"]"
    else:
        yield orjson.dumps(value)


def _chunks(items: list[Any]) -> Iterator[Iterator[bytes]]:
    """Yield items of plain values together, others alone."""
    plain = all(each.__class__ is dict and not any(map(_is_nested, each.values())) for each in items)
    if not plain:
        yield from map(_pieces, items)
        return
    for start in range(0, len(items), CHUNK):
        yield iter([orjson.dumps(items[start : start + CHUNK])[1:-1]])


def _is_nested(value: Any) -> bool:
    return value.__class__ is dict or value.__class__ is list
