"""GraphQL over WebSocket: the protocol `graphql-transport-ws`.

A connection is authenticated by `Authorization` in the payload of its first message, or in the header. Each operation
has a context of its own and ends alone; only a fault of the protocol closes the connection.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, Self

import orjson
from aiohttp import WSMessage, WSMsgType, hdrs, web

from mainsheet.models.instrumentation import Refusal
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.server.app_keys import INSTRUMENTS
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.errors import InvalidOperation, RateLimited, RequestError
from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.client_address import group
from mainsheet.server.http.request import GraphQLRequest, parse_request
from mainsheet.server.live.group import TooSlow
from mainsheet.server.live.stream import Streams, error_of, errors_of
from mainsheet.server.live.subscriptions import Stopping
from mainsheet.server.live.validity import Validity
from mainsheet.server.observe.log_fields import identify
from mainsheet.server.settings import Settings

SUBPROTOCOL = "graphql-transport-ws"
PING_SECONDS = 30


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


def wants_socket(request: web.Request) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


@dataclass(frozen=True)
class SocketLimits:
    init_seconds: float
    write_seconds: float
    message_bytes: int
    operations: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            init_seconds=settings.websocket_init_seconds,
            write_seconds=settings.write_timeout_seconds,
            message_bytes=settings.max_body_bytes,
            operations=settings.max_operations_per_connection,
        )


@dataclass(frozen=True)
class WebSocketEndpoint:
    authenticator: Authenticator
    streams: Streams
    validity: Validity
    limits: SocketLimits

    async def answer(self, request: web.Request) -> web.StreamResponse:
        # Without compression, which would keep buffers for each connection, and compress a result for each one again.
        socket = web.WebSocketResponse(
            protocols=[SUBPROTOCOL], heartbeat=PING_SECONDS, max_msg_size=self.limits.message_bytes, compress=False
        )
        await socket.prepare(request)
        request[EXCHANGE].is_stream = True
        connection = Connection(self, request, socket)
        if socket.ws_protocol != SUBPROTOCOL:
            await socket.close(code=Close.WRONG_SUBPROTOCOL, message=b"Subprotocol not acceptable")
        else:
            await connection.run()
        return socket


@dataclass(eq=False)
class Connection:
    endpoint: WebSocketEndpoint
    request: web.Request
    socket: web.WebSocketResponse
    caller: Caller | None = None
    has_begun: bool = False  # a `connection_init` was received
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    authorized: asyncio.Future[tuple[str | None, Caller]] = field(default_factory=asyncio.Future)
    closing: asyncio.Future[Closed] = field(default_factory=asyncio.Future)

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        watching = asyncio.create_task(self._watch())
        try:
            ends: list[asyncio.Future[Any]] = [reading, self.closing]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self.closing.done():
                closed = self.closing.result()
                await self.socket.close(code=closed.code, message=closed.reason.encode())
        finally:
            tasks = [reading, watching, *self.operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def close(self, closed: Closed) -> None:
        if not self.closing.done():
            self.closing.set_result(closed)

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                await self._receive(_parsed(message))
        except Closed as closed:
            self.close(closed)

    async def _watch(self) -> None:
        """Close the connection if it isn't initialized in time, or when its token is no longer valid."""
        try:
            async with asyncio.timeout(self.endpoint.limits.init_seconds):
                authorization, caller = await asyncio.shield(self.authorized)
        except TimeoutError:
            self.close(Closed(Close.NO_INIT, "Connection initialisation timeout"))
            return
        with self.endpoint.validity.watched(authorization, caller) as ended:
            await ended.wait()
        self.close(Closed(Close.FORBIDDEN, "The token is no longer valid"))

    async def _receive(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"type": "connection_init"}:
                await self._begin(message.get("payload"))
            case {"type": "ping"}:
                await self._send({"type": "pong"})
            case {"type": "pong"}:
                pass
            case {"type": "subscribe", "id": str(id_), "payload": dict(payload)} if id_:
                self._subscribe(id_, payload)
            case {"type": "complete", "id": str(id_)}:
                if operation := self.operations.pop(id_, None):
                    operation.cancel()
            case _:
                raise Closed(Close.INVALID_MESSAGE, "Invalid message")

    async def _begin(self, payload: object) -> None:
        if self.has_begun:
            raise Closed(Close.TOO_MANY_INITS, "Too many initialisation requests")
        self.has_begun = True
        given = payload if isinstance(payload, dict) else {}
        sent = next((value for name, value in given.items() if name.lower() == "authorization"), None)
        authorization = sent if isinstance(sent, str) else self.request.headers.get(hdrs.AUTHORIZATION)
        try:
            caller = await self.endpoint.authenticator.caller(authorization, group(self.request[EXCHANGE].client))
        except RateLimited:
            caller = None
        except Unavailable:
            raise Closed(Close.TRY_AGAIN, "The database is unavailable") from None
        if caller is None:
            raise Closed(Close.FORBIDDEN, "Forbidden")
        self.caller = caller
        self.authorized.set_result((authorization, caller))
        identify(caller)
        await self._send({"type": "connection_ack"})

    def _subscribe(self, id_: str, payload: Mapping[str, Any]) -> None:
        if self.caller is None:
            raise Closed(Close.UNAUTHORIZED, "Unauthorized")
        if id_ in self.operations:
            raise Closed(Close.DUPLICATE_ID, f"Subscriber for {id_[:40]} already exists")
        request, has_room = _request(payload, self.request), len(self.operations) < self.endpoint.limits.operations
        running = self._run(id_, self.caller, request, has_room=has_room)
        self.operations[id_] = asyncio.create_task(running, name="websocket operation")

    async def _run(self, id_: str, caller: Caller, request: GraphQLRequest, *, has_room: bool) -> None:
        request_id, instruments = self.request[EXCHANGE].request_id, self.request.app[INSTRUMENTS]
        last: dict[str, Any] = {"type": "complete", "id": id_}
        try:
            _check(has_room)
            send_now = partial(self._send_now, id_, asyncio.current_task(), _head(id_))
            async with aclosing(self.endpoint.streams.results(caller, request, request_id, send_now)) as results:
                async for each in results:
                    await self._send({"type": "next", "id": id_, "payload": orjson.Fragment(each)})
        except InvalidOperation as invalid:
            last = {"type": "error", "id": id_, "payload": errors_of(invalid, request_id, instruments)}
        except Stopping:
            self.close(Closed(Close.RESTARTING, "The server is restarting: resume after your last cursor"))
            return
        except TooSlow:
            instruments.refused(Refusal("slow_reader", client=self.request[EXCHANGE].client))
            self.close(Closed(Close.TRY_AGAIN, "You read too slowly: resume after your last cursor"))
            return
        except ConnectionError:
            return
        except Exception as failure:  # noqa: BLE001 it ends this operation only
            error = error_of(failure, request_id, instruments)
            last = {"type": "error", "id": id_, "payload": [error]}
        if self.operations.pop(id_, None) is not None:  # otherwise the client has completed it
            await self._send(last)

    def _send_now(self, id_: str, operation: asyncio.Task[Any] | None, head: bytes, result: bytes) -> bool:
        """Send a result. Return False if the connection has unsent bytes, or it or the operation has ended."""
        transport = self.request.transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() or self.socket.closed:
            return False
        if self.operations.get(id_) is not operation:
            return False
        transport.write(_text_frame(head, result, b"}"))
        return True

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Send a message. A client that doesn't receive it in time is cut off."""
        async with self.sending:
            try:
                async with asyncio.timeout(self.endpoint.limits.write_seconds):
                    await self.socket.send_str(orjson.dumps(message).decode())
            except TimeoutError:
                refusal = Refusal("slow_reader", client=self.request[EXCHANGE].client)
                self.request.app[INSTRUMENTS].refused(refusal)
                self.close(Closed(Close.TRY_AGAIN, "You read too slowly: resume after your last cursor"))
                raise ConnectionResetError from None


def _head(id_: str) -> bytes:
    """Return the beginning of a `next` message, which a result and a brace complete."""
    return b'{"type":"next","id":' + orjson.dumps(id_) + b',"payload":'


def _text_frame(*parts: bytes) -> bytes:
    """Return a text message as a frame from a server (RFC 6455, section 5.2)."""
    size = sum(map(len, parts))
    if size < 126:  # noqa: PLR2004 the sizes are the RFC's
        header = b"\x81" + size.to_bytes(1)
    elif size < 2**16:
        header = b"\x81\x7e" + size.to_bytes(2)
    else:
        header = b"\x81\x7f" + size.to_bytes(8)
    return b"".join((header, *parts))


def _check(has_room: bool) -> None:
    if not has_room:
        raise RateLimited("This connection has too many operations. End one first.", 1)


def _parsed(received: WSMessage) -> Mapping[str, Any]:
    if received.type is not WSMsgType.TEXT:
        raise Closed(Close.INVALID_MESSAGE, "Messages must be texts")
    try:
        message = orjson.loads(received.data)
    except orjson.JSONDecodeError:
        raise Closed(Close.INVALID_MESSAGE, "Messages must be JSON") from None
    if not isinstance(message, dict):
        raise Closed(Close.INVALID_MESSAGE, "Messages must be JSON objects")
    return message


def _request(payload: Mapping[str, Any], request: web.Request) -> GraphQLRequest:
    try:
        parsed = parse_request(payload, request)
    except RequestError:
        raise Closed(Close.INVALID_MESSAGE, "Invalid message") from None
    if payload.get("query") is None and not (parsed.document_id or parsed.hash):
        raise Closed(Close.INVALID_MESSAGE, "Invalid message")
    return parsed
