"""The connection level: limits and deadlines of connections, and errors for requests that aren't valid HTTP.

It hooks into aiohttp's `RequestHandler`, which has no deadline for headers or for writing and no limit of
connections: `tests/abuse/` fails if those hooks no longer work.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import structlog
from aiohttp import ClientConnectionResetError, web
from aiohttp.http import RawRequestMessage

from mainsheet.server.http.client_address import peer_address
from mainsheet.server.http.connections import Connections, Reason
from mainsheet.server.http.early_refusal import FULL, HEADERS, EarlyRefusal
from mainsheet.server.http.malformed import malformed
from mainsheet.server.operations.admission import Place

# How much of an unwanted body is read and discarded, so that a client that is still sending can read the error.
UNREAD_SECONDS = 1
UNREAD_BYTES = 2**20

NO_MESSAGES: deque[Any] = deque(maxlen=0)

log = structlog.stdlib.get_logger("mainsheet")


class Protocol(web.RequestHandler):
    __slots__ = (  # there are thousands, of idle connections and subscribers
        "_client",
        "_connections",
        "_drained",
        "_early_refusal",
        "_has_answered",
        "_has_begun",
        "_header_timer",
        "_held",
        "_is_admitted",
        "_is_stream",
        "_real_transport",
        "_refusal",
        "_response_has_begun",
        "_unread",
        "_write_by",
        "_write_timer",
        "place",
        "silent_rounds",
    )

    def __init__(
        self, manager: web.Server, *, connections: Connections, early_refusal: EarlyRefusal, **options: Any
    ) -> None:
        super().__init__(manager, **options)
        self._connections = connections
        self._early_refusal = early_refusal
        self._client = ""
        self._real_transport: asyncio.Transport | None = None  # aiohttp forgets its own before all is sent
        self._is_admitted = False
        self._has_answered = True  # all requests so far; aiohttp itself waits for the next one only a moment later
        self._held = b""  # the beginning of the next request, which waits for the turn of its caller
        self._has_begun = False  # part of the next request's headers was received
        self._response_has_begun = False  # the one to the present request
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._write_by: float | None = None  # when the client must have received the present response
        self._is_stream = False
        self._drained: asyncio.Event | None = None  # set when the client has received all, or the connection is lost
        self.silent_rounds = 0  # rounds of WebSocket pings since the last byte from the client
        self._unread: int | None = None  # the bytes still allowed of a body that isn't read
        self._refusal: tuple[bytes, asyncio.TimerHandle] | None = None  # that waits to be sent
        self.place: Place | None = None  # of the request that is being read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        real = cast("asyncio.Transport", transport)
        self._client = peer_address(real.get_extra_info("peername"))
        self._is_admitted = self._connections.admit(self._client)
        if not self._is_admitted:
            self.force_close()
            real.write(FULL)
            real.close()
            return
        self._real_transport = real
        real.set_write_buffer_limits(high=0)  # so that `pause_writing` says whether anything is unsent
        super().connection_made(transport)
        self._start_header_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._is_admitted:
            self._connections.closed(self._client)
        self._stop_header_timer()
        self._stop_write_timer()
        self._real_transport = None
        self._send_refusal()
        self.leave_place()
        super().connection_lost(exc)
        self._end_draining()

    def data_received(self, data: bytes) -> None:
        self.silent_rounds = 0
        if not self._early_refusal.is_due or not self._refuses(data):
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        before = self._request_count
        super().data_received(data)
        if self._request_count > before:
            self._has_answered = self._response_has_begun = False
            self._unread = None
            self._stop_header_timer()
            if self._upgraded:
                self._forget_raw_headers()
        elif self._unread is not None:
            self._take_unread(len(data))
        elif data and self._has_answered:
            self._has_begun = True
            self._start_header_timer()

    def _forget_raw_headers(self) -> None:
        """Drop the unparsed copy of the headers: aiohttp holds the message as long as the connection lasts."""
        message, payload = self._messages.pop()
        self._messages.append((cast("RawRequestMessage", message)._replace(raw_headers=()), payload))

    def _refuses(self, data: bytes) -> bool:
        """Refuse a request before it is parsed, or keep a place for it, if it is whole and the only one."""
        if self._real_transport is None or self._close or self._force_close:
            return False
        # If writing is paused, the client hasn't received the last response.
        if self._has_begun or self._held or not self._has_answered or self._paused:
            return False
        head = self._early_refusal.head_of(data)
        if head is None:
            return False
        response = self._early_refusal.of(head, self._client)
        if response is None:
            self.place = self._early_refusal.place(head)
            return False
        self._write_by = None  # each response has its own deadline
        self._keep_open()
        # The connections of a proxy are of many callers.
        if response.delay and not self._connections.clients.is_proxy(self._client):
            self._real_transport.pause_reading()  # the next request waits for this one's response
            self._refusal = response.content, self._loop.call_later(response.delay, self._send_refusal)
        else:
            self._real_transport.write(response.content)
        return True

    def _send_refusal(self) -> None:
        """Send the refusal that waits, unless the connection is lost."""
        if self._refusal is None:
            return
        content, timer = self._refusal
        self._refusal = None
        timer.cancel()
        if self._real_transport is not None and not self._real_transport.is_closing():
            self._real_transport.write(content)
            self._real_transport.resume_reading()
            self._keep_open()

    def leave_place(self) -> None:
        if self.place:
            self.place.leave()
            self.place = None

    def close(self) -> None:
        """Close the connection. aiohttp does it at the shutdown, and doesn't know of a refusal that waits."""
        self._send_refusal()
        super().close()

    def _keep_open(self) -> None:
        """Begin the time until the next request anew. aiohttp does it only after responses of its own."""
        self._stop_header_timer()
        self._next_keepalive_close_time = self._loop.time() + self.keepalive_timeout

    def _take_unread(self, size: int) -> None:
        self._unread = (self._unread or 0) - size
        if self._unread < 0 and self._real_transport is not None:
            self._real_transport.close()  # `force_close` would fail the read under way

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """Go over to WebSocket, maybe for days. HTTP's parser and queue are of no more use."""
        super().set_parser(parser, data_received_cb)
        self._parser = None
        self._messages = NO_MESSAGES

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_by is None:
            self._write_by = self._loop.time() + self._connections.deadlines.write
        self._write_timer = self._loop.call_at(self._write_by, self._cut, "answer")

    def resume_writing(self) -> None:
        self._stop_write_timer()
        if self._is_stream:
            self._write_by = None
        super().resume_writing()
        self._end_draining()

    def begin_stream(self) -> None:
        """Let the present response have a deadline for each time that the client doesn't read: it may last for days."""
        self._is_stream = True
        self._write_by = None

    async def drained(self) -> None:
        """Wait until the client has received all that was sent, or the connection is lost."""
        if self._paused and self.transport is not None:
            self._drained = self._drained or asyncio.Event()
            await self._drained.wait()

    def _end_draining(self) -> None:
        if self._drained:
            self._drained.set()
            self._drained = None

    async def _drain_helper(self) -> None:
        """Wait as aiohttp does, whose tasks share a future: if one of them is cancelled, all of them end."""
        await self.drained()
        if self.transport is None:
            raise ClientConnectionResetError("Connection lost")

    def cut_silent(self) -> None:
        """End the connection of a client that doesn't answer a ping."""
        self._cut("silent")

    def _cut(self, reason: Reason) -> None:
        self._connections.refused(reason, self._client)
        if self._real_transport is not None:
            self._real_transport.abort()  # closing would wait until everything is sent

    def _start_header_timer(self) -> None:
        """Start the deadline when a client connects, and at the first byte after an earlier request."""
        if self._header_timer is None:
            self._header_timer = self._loop.call_later(self._connections.deadlines.header, self._cut_waiting)

    def _cut_waiting(self) -> None:
        self._connections.refused("headers" if self._has_begun else "idle", self._client)
        self.force_close()

    def _stop_header_timer(self) -> None:
        self._has_begun = False
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Start the deadline of this response, and limit how much of its request's body aiohttp reads after it."""
        self.leave_place()
        self._response_has_begun = True
        self._write_by = None
        self._is_stream = False
        if not request.content.is_eof():
            self._unread = UNREAD_BYTES
        response, is_reset = await super().finish_response(request, resp, start_time)
        if request.content.is_eof():
            self._unread = None
            self._has_answered = not self._messages
            self._close = self._close or not response.keep_alive
        return response, is_reset

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Respond to requests that the parser refuses. All other errors are handled in the application."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.writer.output_size > 0:
            response = super().handle_error(request, status, exc, message)
            response.headers.update(HEADERS)
            return response
        log.info("malformed request", reason=type(exc).__name__, client=self._client)
        return malformed(HTTPStatus(status), message or "", exc)

    def log_exception(self, *args: Any, **details: Any) -> None:
        """Don't log failures to parse the rest of a refused body, which aiohttp goes on reading."""
        if not isinstance(details.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **details)
