"""Pings silent WebSocket clients, and cuts off those that don't answer (RFC 6455, section 5.5.2).

aiohttp's own pings would need a timer for each connection, which takes 1 kB.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from aiohttp import web

from mainsheet.executor.turns import next_turn
from mainsheet.server.http.turn_taking import protocol_of
from mainsheet.server.live.websocket import Connection
from mainsheet.server.process.background import repeated

ROUND_SECONDS = 15
SILENT_ROUNDS = 2  # without a byte from a client, before it is pinged


@dataclass(frozen=True)
class Pings:
    connections: Collection[Connection]

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Ping while the application runs."""
        async with repeated("ping WebSocket clients", ROUND_SECONDS, self.ping):
            yield

    async def ping(self) -> None:
        """Ping each client that has been silent, and cut off those that have been silent since their last ping."""
        for each in list(self.connections):
            await next_turn()
            protocol = protocol_of(each.request)
            protocol.silent_rounds += 1
            if protocol.silent_rounds < SILENT_ROUNDS:
                each.is_pinged = False
            elif not each.is_pinged:  # while a client is receiving, it can't be pinged, and has a deadline for that
                each.is_pinged = each.ping()
            else:
                protocol.cut_silent()
