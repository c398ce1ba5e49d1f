"""Encodes JSON. Large data is encoded in pieces, so that other requests don't wait for all of it."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError

from mainsheet.executor import AnswerTooLarge
from mainsheet.executor.turns import next_turn
from mainsheet.server.errors import formatted

LARGE = 20_000  # fields and list items: about half a megabyte, which takes a millisecond
DEPTH = 8  # levels that are divided: two connections, one below the other, and one more
FEW = 10  # items of a list, each of which is divided
CHUNK = 2  # items of a longer list, which are encoded together


def comparable(*values: object) -> bytes | None:
    """Return equal bytes for equal values that a client sent.

    Return None if JSON can't have them: they are nested too deeply, or are texts with bytes that aren't UTF-8.
    """
    try:
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None


async def body_of(result: ExecutionResult, request_id: str, values: int) -> dict[str, Any]:
    """Return the body of an answer, for `orjson.dumps`. `values` counts its data, which is encoded now if it is large.

    There is no entry `data` if nothing was executed.
    """
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [formatted(error, request_id) for error in result.errors]
    if result.data is not None or any(map(_is_of_execution, result.errors or ())):
        is_large = result.data is not None and values >= LARGE
        body["data"] = orjson.Fragment(await encoded(result.data)) if is_large else result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def _is_of_execution(error: GraphQLError) -> bool:
    return bool(error.path) or isinstance(error.original_error, AnswerTooLarge)


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
