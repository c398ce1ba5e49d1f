"""Reads request bodies, limited in bytes and time. Inflates them in steps, so that other requests can run between."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from mainsheet.executor.turns import next_turn
from mainsheet.server.errors import RequestError

ENCODINGS: Final = ("gzip", "deflate")
STEP: Final = 64 * 1024  # bytes inflated at once, in a fraction of a millisecond
GZIP: Final = 16 + zlib.MAX_WBITS
DEFLATE_METHOD: Final = 8  # how a zlib header begins (RFC 1950); some clients send raw deflate data without one


@dataclass(frozen=True)
class BodyLimits:
    most_bytes: int
    seconds: float


class StalledBody(RequestError):
    refusal = "body"

    def __init__(self, seconds: float) -> None:
        super().__init__(HTTPStatus.REQUEST_TIMEOUT, f"The body didn't arrive within {seconds:g} seconds.")


async def read_body(request: web.Request, limits: BodyLimits) -> bytes:
    """Return the decoded body. Raises `RequestError` (400, 408, 413 or 415)."""
    encoding = _encoding(request)
    _check_size(request.content_length or 0, limits)
    await _continue(request)
    chunks = request.content.iter_any() if encoding == "identity" else _inflated(request, encoding)
    try:
        if encoding == "identity" and request.content.is_eof():  # most bodies arrive with their headers
            body = request.content.read_nowait()
            _check_size(len(body), limits)
            return body
        async with asyncio.timeout(limits.seconds):
            return await _joined(chunks, limits)
    except TimeoutError as error:
        raise StalledBody(limits.seconds) from error
    except (web.RequestPayloadError, zlib.error) as error:
        message = "The body doesn't match its Content-Encoding or Transfer-Encoding."
        raise RequestError(HTTPStatus.BAD_REQUEST, message) from error


def _encoding(request: web.Request) -> str:
    encoding = ", ".join(request.headers.getall(hdrs.CONTENT_ENCODING, ())).lower() or "identity"
    if encoding in {*ENCODINGS, "identity"}:
        return encoding
    # RFC 9110, section 15.5.16: name the encodings that we know.
    message = f"The body must be encoded as its Content-Encoding says, by {' or '.join(ENCODINGS)}, or not at all."
    headers = {"Accept-Encoding": ", ".join(ENCODINGS)}
    raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers=headers)


async def expect_later(_request: web.Request) -> None:
    """Don't send `100 Continue` yet: `read_body` does after the client is authenticated."""


async def _continue(request: web.Request) -> None:
    """Send `100 Continue` to an authenticated client that waits for it. HTTP/1.0 doesn't know it."""
    waits = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
    if waits and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # as aiohttp does: no response has begun


async def _joined(chunks: AsyncIterator[bytes], limits: BodyLimits) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        _check_size(len(body), limits)
    return bytes(body)


def _check_size(size: int, limits: BodyLimits) -> None:
    if size > limits.most_bytes:
        message = f"The body may have at most {limits.most_bytes} bytes, inflated too."
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


async def _inflated(request: web.Request, encoding: str) -> AsyncIterator[bytes]:
    inflater = None
    async for chunk in request.content.iter_any():
        inflater = inflater or zlib.decompressobj(_window(encoding, chunk))
        waiting, is_full = chunk, True
        while waiting or is_full:
            step = inflater.decompress(waiting, STEP)
            yield step
            waiting, is_full = inflater.unconsumed_tail, len(step) == STEP
            await next_turn()
        if inflater.unused_data:
            raise zlib.error("there is more data after its end")
    if inflater is None or not inflater.eof:
        raise zlib.error("it is cut short")


def _window(encoding: str, beginning: bytes) -> int:
    if encoding == "gzip":
        return GZIP
    return zlib.MAX_WBITS if beginning[0] & 15 == DEFLATE_METHOD else -zlib.MAX_WBITS
