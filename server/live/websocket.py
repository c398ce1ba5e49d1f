"""GraphQL over WebSocket: the protocol `graphql-transport-ws`.

A connection is authenticated by `Authorization` in the payload of its first message, or in the header. Each operation
has a context of its own and ends alone; only a fault of the protocol closes the connection.
"""

import asyncio
from collections.abc import Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, hdrs, web

from mainsheet.models.instrumentation import Refusal
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.server.app_keys import INSTRUMENTS
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.errors import RequestError
from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.client_address import group
from mainsheet.server.http.request import authorization_of
from mainsheet.server.http.turn_taking import protocol_of
from mainsheet.server.live.messages import (
    PING,
    RESTARTING,
    Close,
    Closed,
    Disconnected,
    parsed,
    pong,
    request_of,
    text_frame,
)
from mainsheet.server.live.socket_operation import Operation, refusal
from mainsheet.server.live.stream import Streams
from mainsheet.server.live.validity import Opened, Validity
from mainsheet.server.observe.log_fields import identify
from mainsheet.server.settings import Settings

SUBPROTOCOL = "graphql-transport-ws"


def wants_socket(request: web.Request) -> bool:
    """Return whether the request opens a WebSocket: by GET (RFC 6455, section 4.1)."""
    return request.method == hdrs.METH_GET and request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


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
    connections: set["Connection"] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Close each connection when it has no operation: the ends of subscriptions are spread over time."""
        self.stopping.set()
        for each in list(self.connections):
            each.close_if_idle()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        authorization = authorization_of(request)  # before the connection is one of a WebSocket
        # Without compression, which would keep buffers for each connection, and compress a result for each one again.
        socket = web.WebSocketResponse(
            protocols=[SUBPROTOCOL], autoping=False, max_msg_size=self.limits.message_bytes, compress=False
        )
        await socket.prepare(request)
        socket.headers.clear()  # they were sent, and the connection may last for days
        request[EXCHANGE].is_stream = True
        protocol_of(request).begin_stream()
        connection = Connection(self, request, socket, authorization)
        if socket.ws_protocol != SUBPROTOCOL:
            await socket.close(code=Close.WRONG_SUBPROTOCOL, message=b"Subprotocol not acceptable")
        else:
            self.connections.add(connection)
            try:
                connection.close_if_idle()
                await connection.run()
            finally:
                self.connections.discard(connection)
        return socket


@dataclass(eq=False, slots=True)
class Connection:
    """A client's connection. The request's task reads it; there are others only while something else is to be done."""

    endpoint: WebSocketEndpoint
    request: web.Request
    socket: web.WebSocketResponse
    authorization: str | None  # of the header
    caller: Caller | None = None
    has_begun: bool = False  # a `connection_init` was received
    operations: dict[str, "Operation"] = field(default_factory=dict)
    context: Context = field(default_factory=copy_context)  # of all its operations: the request's log fields
    init_limit: asyncio.TimerHandle | None = None
    opened: Opened | None = None
    closing: asyncio.Task[bool] | None = None
    is_pinged: bool = False  # since the client was last heard
    is_ending: bool = False  # a subscription was ended because the server is stopping
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # to send a message that has to wait

    async def run(self) -> None:
        limits, loop = self.endpoint.limits, asyncio.get_running_loop()
        self.init_limit = loop.call_later(limits.init_seconds, self._end_uninitialized)
        try:
            async for message in self.socket:
                if message.type is WSMsgType.PING:
                    await self._send_frame(pong(message.data))
                elif message.type is not WSMsgType.PONG:
                    await self._receive(parsed(message, is_authenticated=self.caller is not None))
                del message  # or it would be kept until the next one comes
                await protocol_of(self.request).give_way()
        except Closed as closed:
            self.close(closed)
        except ConnectionError:
            pass  # while a message was sent
        except asyncio.CancelledError:
            if self.closing:
                self.closing.cancel()
            raise
        finally:
            await self._clean_up()

    async def _clean_up(self) -> None:
        self._stop_init_limit()
        if self.opened:
            self.endpoint.validity.close(self.opened)
            self.opened = None
        try:
            if self.closing:
                await self.closing
        finally:
            await self._cancel_all()

    async def _cancel_all(self) -> None:
        tasks = [each.cancel() for each in list(self.operations.values())]
        if self.closing:
            self.closing.cancel()
        await asyncio.gather(*filter(None, [*tasks, self.closing]), return_exceptions=True)
        self.operations.clear()

    def _stop_init_limit(self) -> None:
        if self.init_limit:
            self.init_limit.cancel()
            self.init_limit = None

    def close(self, closed: Closed) -> None:
        """Send a close frame, wait for the client's, and end the connection."""
        if self.closing is None:
            closing = self.socket.close(code=closed.code, message=closed.message)
            self.closing = asyncio.create_task(closing, name="websocket close")

    def end(self) -> None:
        """Close the connection when no query or mutation runs: the client would repeat one without a result."""
        self.is_ending = True
        self.close_if_idle()

    def close_if_idle(self) -> None:
        """Close the connection if the server is stopping and no operation keeps it open."""
        keeping = (each for each in self.operations.values() if not (self.is_ending and each.is_subscribed))
        if self.endpoint.stopping.is_set() and not any(keeping):
            self.close(RESTARTING)

    def _end_uninitialized(self) -> None:
        self.close(Closed(Close.NO_INIT, "Connection initialisation timeout"))

    def _end_invalid(self) -> None:
        self.close(Closed(Close.FORBIDDEN, "The token is no longer valid"))

    async def _receive(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"type": "connection_init"}:
                await self._begin(message.get("payload"))
            case {"type": "ping"}:
                await self.send(b'{"type":"pong"}')
            case {"type": "pong"}:
                pass
            case {"type": "subscribe", "id": str(id_), "payload": dict(payload)} if id_:
                await self._subscribe(id_, payload)
            case {"type": "complete", "id": str(id_)}:
                if operation := self.operations.pop(id_, None):
                    operation.cancel()
                    self.close_if_idle()
            case _:
                raise Closed(Close.INVALID_MESSAGE, "Invalid message")

    async def _begin(self, payload: object) -> None:
        if self.has_begun:
            raise Closed(Close.TOO_MANY_INITS, "Too many initialisation requests")
        self.has_begun = True
        given = payload if isinstance(payload, dict) else {}
        sent = next((value for name, value in given.items() if name.lower() == "authorization"), None)
        authorization = sent if isinstance(sent, str) else self.authorization
        try:
            caller = await self.endpoint.authenticator.caller(authorization, group(self.request[EXCHANGE].client))
        except RequestError as failure:  # a valid token may be among too many wrong ones
            if failure.refusal:
                self.request.app[INSTRUMENTS].refused(Refusal(failure.refusal))
            raise Closed(Close.TRY_AGAIN, str(failure)) from None
        except Unavailable:
            raise Closed(Close.TRY_AGAIN, "The database is unavailable") from None
        if caller is None:
            raise Closed(Close.FORBIDDEN, "Forbidden")
        self._stop_init_limit()
        self.caller = caller
        self.opened = self.endpoint.validity.open(authorization, caller, self._end_invalid)
        identify(caller)
        await self.send(b'{"type":"connection_ack"}')

    async def _subscribe(self, id_: str, payload: Mapping[str, Any]) -> None:
        if self.caller is None:
            raise Closed(Close.UNAUTHORIZED, "Unauthorized")
        if id_ in self.operations:
            raise Closed(Close.DUPLICATE_ID, f"Subscriber for {id_[:40]} already exists")
        if self.endpoint.stopping.is_set():
            self.end()
        if self.is_ending or self.closing:
            return  # the client repeats the operation at another server
        request = request_of(payload, self.request)
        if len(self.operations) >= self.endpoint.limits.operations:
            await self.send(refusal(id_, self.request))  # before the next message is read
            return
        operation = self.operations[id_] = Operation(self, id_)
        operation.begin(self.caller, request)

    async def send(self, *parts: bytes) -> None:
        """Send a message when the client has received all before it. One that doesn't in time is cut off.

        Messages wait in the order of the calls, so that little is unsent at once. Raises `Disconnected`.
        """
        await self._send_frame(text_frame(*parts))

    async def _send_frame(self, frame: bytes) -> None:
        try:
            async with self.turn, asyncio.timeout(self.endpoint.limits.write_seconds):
                while not self._write(frame):
                    await protocol_of(self.request).drained()
        except TimeoutError:
            self.end_slow()
            raise Disconnected from None

    def send_now(self, *parts: bytes) -> bool:
        """Send a message without waiting. Return False if the connection has unsent bytes, or has ended."""
        return self._write_now(text_frame(*parts))

    def ping(self) -> bool:
        """Ping the client, and return True. Return False if the connection has unsent bytes, or has ended."""
        return self._write_now(PING)

    def _write_now(self, frame: bytes) -> bool:
        return not (self.turn.locked() or self._has_ended) and self._write(frame)

    def _write(self, frame: bytes) -> bool:
        """Write a frame unless the connection has unsent bytes. Raises `Disconnected`."""
        transport = self.request.transport
        if self._has_ended or transport is None:
            raise Disconnected
        if protocol_of(self.request).writing_paused:
            return False
        transport.write(frame)
        return True

    @property
    def _has_ended(self) -> bool:
        transport = self.request.transport
        return self.closing is not None or self.socket.closed or transport is None or transport.is_closing()

    def end_slow(self) -> None:
        if self.closing is None:
            refusal = Refusal("slow_reader", client=self.request[EXCHANGE].client)
            self.request.app[INSTRUMENTS].refused(refusal)
        self.close(Closed(Close.TRY_AGAIN, "You read too slowly: resume after your last cursor"))
