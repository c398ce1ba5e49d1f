"""The messages of `graphql-transport-ws`: what clients may send, how results are framed, and the codes of a close."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import orjson
from aiohttp import WSMessage, WSMsgType, web

from mainsheet.server.errors import RequestError
from mainsheet.server.http.request import GraphQLRequest, parse_request

LONGEST_FIRST = 64 * 1024  # characters of a message before the client is authenticated
LONGEST_REASON = 123  # bytes; a control frame has at most 125, and the code is two of them


class Close(IntEnum):
    """Codes of the protocol, and of RFC 6455's registry for what a client survives by subscribing again."""

    RESTARTING = 1012
    TRY_AGAIN = 1013  # to a client that reads too slowly, too
    INVALID_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    WRONG_SUBPROTOCOL = 4406
    NO_INIT = 4408
    DUPLICATE_ID = 4409
    TOO_MANY_INITS = 4429


class Closed(Exception):
    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    @property
    def message(self) -> bytes:
        """Return the reason as it fits into a close frame (RFC 6455, section 5.5): a longer one is cut off."""
        return self.reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()


class Disconnected(ConnectionError):
    """The client left, or the connection is closing: nothing can be sent any more."""


INTERRUPTED = Closed(Close.TRY_AGAIN, "An operation was interrupted: resume after your last cursor")
PING = b"\x89\x00"  # a frame without data
RESTARTING = Closed(Close.RESTARTING, "The server is restarting: resume after your last cursor")


def head(id_: str) -> bytes:
    """Return the beginning of a `next` message, which a result and a brace complete."""
    return b'{"type":"next","id":' + orjson.dumps(id_) + b',"payload":'


def text_frame(*parts: bytes) -> bytes:
    """Return a text message as a frame from a server (RFC 6455, section 5.2)."""
    size = sum(map(len, parts))
    if size < 126:  # noqa: PLR2004 the sizes are the RFC's
        header = b"\x81" + size.to_bytes(1)
    elif size < 2**16:
        header = b"\x81\x7e" + size.to_bytes(2)
    else:
        header = b"\x81\x7f" + size.to_bytes(8)
    return b"".join((header, *parts))


def pong(data: bytes) -> bytes:
    """Return the answer to a ping as a frame. Control frames have at most 125 bytes of data (RFC 6455, section 5.5)."""
    return b"\x8a" + len(data).to_bytes(1) + data


def parsed(received: WSMessage, *, is_authenticated: bool) -> Mapping[str, Any]:
    if received.type is not WSMsgType.TEXT:
        raise Closed(Close.INVALID_MESSAGE, "Messages must be texts")
    if not is_authenticated and len(received.data) > LONGEST_FIRST:  # parsing a megabyte takes milliseconds
        raise Closed(Close.INVALID_MESSAGE, f"The first messages may have at most {LONGEST_FIRST} characters")
    try:
        message = orjson.loads(received.data)
    except orjson.JSONDecodeError:
        raise Closed(Close.INVALID_MESSAGE, "Messages must be JSON") from None
    if not isinstance(message, dict):
        raise Closed(Close.INVALID_MESSAGE, "Messages must be JSON objects")
    return message


def request_of(payload: Mapping[str, Any], request: web.Request) -> GraphQLRequest:
    try:
        found = parse_request(payload, request)
    except RequestError:
        raise Closed(Close.INVALID_MESSAGE, "Invalid message") from None
    if payload.get("query") is None and not (found.document_id or found.hash):
        raise Closed(Close.INVALID_MESSAGE, "Invalid message")
    return found
