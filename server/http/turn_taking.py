"""Connections that begin each request at the turn of its caller."""

from typing import Any, cast

from aiohttp import web

from mainsheet.executor.turns import next_turn
from mainsheet.models.instrumentation import Refusal
from mainsheet.server.http.early_refusal import AUTHORIZATION, LONGEST_HEAD, response_of
from mainsheet.server.http.protocol import Protocol
from mainsheet.server.operations.admission import CallerKey, overloaded
from mainsheet.server.operations.gate import Gate
from mainsheet.server.operations.turns import RequestTurns


class TurnTakingProtocol(Protocol):
    """Holds the first bytes of a request, without parsing them, until its caller's turn.

    A request whose client leaves before is dropped. Where the first bytes don't show the caller, as in a pipeline or
    behind long headers, the request waits for its turn after it was parsed. The turns are told whether a request that
    began was answered. One that is dropped or refused counts for nothing.
    """

    __slots__ = ("_caller", "_gate", "_had_turn", "_has_received", "turns")

    def __init__(self, manager: web.Server, *, gate: Gate, turns: RequestTurns, **options: Any) -> None:
        super().__init__(manager, **options)
        self._gate = gate
        self.turns = turns
        self._caller: CallerKey | None = None  # of the present request, or of the last one; none without a token
        self._had_turn = False
        self._has_received = False  # a message of a WebSocket, in this iteration of the event loop

    async def wait_for_turn(self, authorization: str | None) -> None:
        """Wait for the turn of the present request's caller, unless it had one before it was parsed."""
        caller = self._gate.caller_key(authorization)
        had_turn, self._had_turn = self._had_turn and caller == self._caller, False
        self._response_has_begun = False  # to this one; it may be behind others that were received with it
        if not had_turn:
            self._caller = None
            await self.turns.wait(caller)
            self._caller = caller if authorization else None

    async def give_way(self) -> None:
        """Let others run between messages that arrived together, which aiohttp returns without waiting."""
        if self._has_received:
            await next_turn()
        else:
            self._has_received = True
            self._loop.call_soon(self._end_iteration)

    def _end_iteration(self) -> None:
        self._has_received = False

    # The connection as a `Turn`:

    @property
    def is_open(self) -> bool:
        return self._real_transport is not None and not self._real_transport.is_closing()

    def pause(self) -> None:
        self.leave_place()  # others may be let in meanwhile
        self._pause_transport_reading()

    def resume(self) -> None:
        if self.is_open:
            self._resume_transport_reading()

    def begin(self) -> None:
        if self._held and self.is_open:
            self._resume_transport_reading()
            held, self._held = self._held, b""
            super()._receive(held)

    def refuse(self) -> None:
        if self._real_transport is not None:
            self._real_transport.write(response_of(overloaded()))
            self._real_transport.close()
        self._connections.refused("overload", self._client)
        self._caller = None

    def _receive(self, data: bytes) -> None:
        if self._held:
            self._held += data
            if len(self._held) > LONGEST_HEAD:
                self.pause()
        elif self._begins_now(data):
            super()._receive(data)
        elif self.is_open:
            self._held = data
            self._keep_open()

    def _begins_now(self, data: bytes) -> bool:
        """Return whether the data may be parsed now. If it begins a request, it has to be its caller's turn."""
        if not self._has_answered or self._has_begun or self._close:
            return True
        if self._caller:
            self.turns.ended(self._caller, is_answered=True)
        token = AUTHORIZATION.search(data, 0, LONGEST_HEAD)
        self._caller = self._gate.caller_key(token[1].decode("latin-1")) if token else None
        self._had_turn = self._caller is not None
        return self._caller is None or self.turns.begins_now(self._caller, self)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._held:
            self._report_dropped()
        if self._caller and not self._has_begun:
            self.turns.ended(self._caller, is_answered=self._is_answered())
        super().connection_lost(exc)

    def _report_dropped(self) -> None:
        """Report a request that doesn't begin, because its client has left."""
        organization, actor = self._caller or ("", "")
        if actor:
            refusal = Refusal("client_left", member=actor, organization=organization)
            self._connections.instrumentation.refused(refusal)
        else:  # the token isn't known yet
            self._connections.refused("client_left", self._client)
        self._caller = None

    def _is_answered(self) -> bool:
        """Return whether the response to the present request has begun."""
        if self._has_answered or self._response_has_begun:
            return True
        return self._current_request is not None and self._current_request.writer.output_size > 0

    def close(self) -> None:
        """Close the connection after the request that is held. aiohttp does it at the shutdown."""
        self.begin()
        super().close()


def protocol_of(request: web.Request) -> TurnTakingProtocol:
    return cast("TurnTakingProtocol", request.protocol)
