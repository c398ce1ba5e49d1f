"""Refuses requests from their first bytes, under overload or if a budget of the caller is used up.

Parsing them would cost far more than the refusal.

Only requests whose framing is beyond doubt are recognized; all others are parsed, and refused by the gate.
"""

import re
from itertools import cycle
from typing import NamedTuple

import orjson

from mainsheet.server.errors import Overloaded, RequestError
from mainsheet.server.http.connections import Connections
from mainsheet.server.http.request import EVENT_STREAM, GRAPHQL_RESPONSE, JSON
from mainsheet.server.operations.admission import RETRIES
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
DEBTORS_DELAY = 0.1  # seconds; clients that ask on and on would otherwise take a large part of the CPU time


class EarlyResponse(NamedTuple):
    content: bytes
    delay: float = 0  # seconds until it is sent


class EarlyRefusal:
    def __init__(self, gate: Gate, connections: Connections, path: str) -> None:
        self._gate = gate
        self._connections = connections
        self._begin = re.compile(rb"POST %s(?:\?[!-~]*)? HTTP/1\.1\r\n" % re.escape(path.encode()))
        self._refusals = {
            media_type: cycle([response_of(Overloaded(each), media_type) for each in RETRIES])
            for media_type in (GRAPHQL_RESPONSE, JSON)
        }

    @property
    def is_due(self) -> bool:
        return self._gate.is_closed_to_some

    def of(self, data: bytes, client: str) -> EarlyResponse | None:
        """Return the response if the data is one whole request to be refused, and report it."""
        begin = self._begin.match(data)
        end = data.find(ENDS)
        if not begin or not HEADERS_ONLY.fullmatch(data, begin.end() - 2, end + 2):
            return None
        head = data[: end + 2]
        lengths, tokens = LENGTH.findall(head), AUTHORIZATION.findall(head)
        if len(lengths) != 1 or end + len(ENDS) + int(lengths[0]) != len(data) or UNUSUAL.search(head):
            return None
        if len(tokens) != 1:
            return None
        token = tokens[0].rstrip().decode("latin-1")
        media_type = GRAPHQL_RESPONSE if GRAPHQL_RESPONSE.encode() in head else JSON
        if self._gate.refuses(token):
            self._connections.refused("overload", client)
            return EarlyResponse(next(self._refusals[media_type]))
        debt = None if EVENT_STREAM.encode() in head else self._gate.debt(token)
        return EarlyResponse(response_of(debt, media_type), DEBTORS_DELAY) if debt else None


def response_of(error: RequestError, media_type: str = JSON) -> bytes:
    """Return the bytes of a response."""
    extensions = {"code": error.code, **error.extensions}
    body = orjson.dumps({"errors": [{"message": str(error), "extensions": extensions}]})
    content = {"Content-Type": f"{media_type}; charset=utf-8", "Content-Length": str(len(body))}
    fields = {**HEADERS, **content, **error.headers}
    lines = [f"HTTP/1.1 {error.status} {error.status.phrase}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + ENDS + body
