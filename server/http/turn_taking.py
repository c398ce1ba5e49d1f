"""Connections that begin each request at the turn of its caller."""

from typing import Any

from aiohttp import web

from mainsheet.server.http.client_address import group
from mainsheet.server.http.early_refusal import AUTHORIZATION, LONGEST_HEAD
from mainsheet.server.http.protocol import Protocol
from mainsheet.server.operations.admission import CallerKey
from mainsheet.server.operations.gate import Gate
from mainsheet.server.operations.turns import RequestTurns


class TurnTakingProtocol(Protocol):
    """Holds the first bytes of a request, without parsing them, until its caller's turn.

    A request whose client leaves before is dropped.
    """

    __slots__ = ("_caller", "_gate", "_is_reading", "_turns")

    def __init__(self, manager: web.Server, *, gate: Gate, turns: RequestTurns, **options: Any) -> None:
        super().__init__(manager, **options)
        self._gate = gate
        self._turns = turns
        self._caller: CallerKey | None = None  # of the present request, or of the last one
        self._is_reading = True

    # What `RequestTurns` asks of a connection:

    @property
    def is_open(self) -> bool:
        return self._real_transport is not None and not self._real_transport.is_closing()

    def pause(self) -> None:
        self.leave_place()  # others may be let in meanwhile
        if self._real_transport is not None:
            self._real_transport.pause_reading()
            self._is_reading = False

    def look(self) -> None:
        """Go on reading, which tells whether the client has left."""
        if self._real_transport is not None and not self._real_transport.is_closing():
            self._real_transport.resume_reading()
            self._is_reading = True

    def begin(self) -> None:
        if self._held and self.is_open:
            if not self._is_reading:
                self.look()
            held, self._held = self._held, b""
            super()._receive(held)

    def _receive(self, data: bytes) -> None:
        if self._held:
            self._held += data
            if len(self._held) > LONGEST_HEAD:
                self.pause()
            return
        if self._has_answered:
            if self._caller and not self._has_begun:
                self._turns.ended(self._caller, is_answered=True)
            self._caller = self._caller_of(data)
            if self._caller and not self._turns.may_begin(self._caller, self):
                self._held = data
                return
        super()._receive(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._held:
            self._connections.refused("left", self._client)
        if self._caller and not self._has_begun:
            self._turns.ended(self._caller, is_answered=self._is_answered())
        super().connection_lost(exc)

    def close(self) -> None:
        """Close the connection after the request that is held. aiohttp does it at the shutdown."""
        self.begin()
        super().close()

    def _caller_of(self, data: bytes) -> CallerKey | None:
        """Return the caller of the token. Without a token, the client's address counts as one, unless it is a proxy."""
        if token := AUTHORIZATION.search(data, 0, LONGEST_HEAD):
            return self._gate.caller_key(token[1].rstrip().decode("latin-1"))
        return None if self._connections.clients.is_proxy(self._client) else ("", group(self._client))

    def _is_answered(self) -> bool:
        """Return whether the response to the present request has begun."""
        if self._held:
            return False
        if self._has_answered or self._unread is not None:
            return True
        return self._current_request is not None and self._current_request.writer.output_size > 0
