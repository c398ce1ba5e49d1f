"""Refuses requests from their first bytes, under overload or if a budget of the caller is used up.

Parsing them would cost far more than the refusal.

Only requests whose framing is beyond doubt are recognized; all others are parsed, and refused by the gate.
"""

import re
from functools import lru_cache
from http import HTTPStatus
from itertools import cycle
from typing import NamedTuple

import orjson

from mainsheet.server.errors import Code, Overloaded, RequestError
from mainsheet.server.http.connections import Connections
from mainsheet.server.http.request import EVENT_STREAM, GRAPHQL_RESPONSE, JSON
from mainsheet.server.operations.admission import RETRIES, Place
from mainsheet.server.operations.gate import Gate

HEADERS = {"Server": "mainsheet", "X-Content-Type-Options": "nosniff"}  # of every response
# Headers without a doubt: names that end with the colon, values without control characters, and no other line ends.
HEADERS_ONLY = re.compile(rb"(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)+\r\n")
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n)", re.IGNORECASE)
AUTHORIZATION = re.compile(rb"\r\nauthorization:[ \t]*([^\r\n]*)", re.IGNORECASE)
# What needs more than the plain response: CORS headers, `100 Continue`, other framing, the end of the connection.
UNUSUAL = re.compile(
    rb"\r\n(?:origin|expect|transfer-encoding|upgrade|connection:(?![ \t]*keep-alive[ \t]*\r\n))", re.IGNORECASE
)
ENDS = b"\r\n\r\n"
LONGEST_HEAD = 4096  # bytes; requests with longer ones are parsed
MOST_HEADS = 1000  # that are kept with what they say, because clients send the same head again and again
DEBTORS_DELAY = 0.1  # seconds; clients that ask on and on would otherwise take a large part of the CPU time


class EarlyResponse(NamedTuple):
    content: bytes
    delay: float = 0  # seconds until it is sent


class Head(NamedTuple):
    """What the head of a request says about the request."""

    size: int  # of the whole request
    authorization: str
    media_type: str
    is_stream: bool


class EarlyRefusal:
    def __init__(self, gate: Gate, connections: Connections, path: str) -> None:
        self._gate = gate
        self._connections = connections
        self._begin = re.compile(rb"POST %s(?:\?[!-~]*)? HTTP/1\.1\r\n" % re.escape(path.encode()))
        self._head = lru_cache(MOST_HEADS)(self._parse)
        self._refusals = {
            media_type: cycle([response_of(Overloaded(each), media_type) for each in RETRIES])
            for media_type in (GRAPHQL_RESPONSE, JSON)
        }

    @property
    def is_due(self) -> bool:
        return self._gate.is_closed_to_some

    def of(self, head: Head, client: str) -> EarlyResponse | None:
        """Return the response if the request is to be refused, and report it."""
        if self._gate.refuses(head.authorization):
            self._connections.refused("overload", client)
            return EarlyResponse(next(self._refusals[head.media_type]))
        debt = None if head.is_stream else self._gate.debt(head.authorization)
        return EarlyResponse(response_of(debt, head.media_type), DEBTORS_DELAY) if debt else None

    def place(self, head: Head) -> Place | None:
        """Return a place for a request that isn't refused, or None if no operation waits or its caller isn't known."""
        return self._gate.place(head.authorization)

    def head_of(self, data: bytes) -> Head | None:
        """Return the head if the data is one whole request."""
        end = data.find(ENDS, 0, LONGEST_HEAD)
        head = self._head(data[: end + len(ENDS)]) if end > 0 else None
        return head if head and head.size == len(data) else None

    def _parse(self, head: bytes) -> Head | None:
        """Return what the head says, or None if there is any doubt about the framing or the caller."""
        begin = self._begin.match(head)
        if not begin or not HEADERS_ONLY.fullmatch(head, begin.end() - 2, len(head) - 2) or UNUSUAL.search(head):
            return None
        lengths, tokens = LENGTH.findall(head), AUTHORIZATION.findall(head)
        if len(lengths) != 1 or len(tokens) != 1:
            return None
        media_type = GRAPHQL_RESPONSE if GRAPHQL_RESPONSE.encode() in head else JSON
        is_stream = EVENT_STREAM.encode() in head
        return Head(len(head) + int(lengths[0]), tokens[0].rstrip().decode("latin-1"), media_type, is_stream)


def response_of(error: RequestError, media_type: str = JSON) -> bytes:
    """Return the bytes of a response."""
    extensions = {"code": error.code, **error.extensions}
    body = orjson.dumps({"errors": [{"message": str(error), "extensions": extensions}]})
    content = {"Content-Type": f"{media_type}; charset=utf-8", "Content-Length": str(len(body))}
    fields = {**HEADERS, **content, **error.headers}
    lines = [f"HTTP/1.1 {error.status} {error.status.phrase}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + ENDS + body


# For a connection over the limits. It is closed before anything is read.
FULL = response_of(
    RequestError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "There are too many connections.",
        code=Code.RATE_LIMITED,
        headers={"Retry-After": "1", "Connection": "close"},
    )
)
