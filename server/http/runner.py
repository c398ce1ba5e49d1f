"""Runs the application with our protocol and headers, for which aiohttp has no options."""

from typing import ClassVar

from aiohttp import web

from mainsheet.server.http.early_refusal import HEADERS
from mainsheet.server.http.protocol import Protocol
from mainsheet.server.http.turn_taking import TurnTakingProtocol


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Name no versions, and forbid browsers to guess a type; aiohttp calls this for every response."""
    response.headers.update(HEADERS)


class _Server(web.Server):
    def __call__(self) -> TurnTakingProtocol:
        return TurnTakingProtocol(self, loop=self._loop, **self._kwargs)


class _AdminServer(web.Server):
    def __call__(self) -> Protocol:
        return Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    server_type: ClassVar[type[web.Server]] = _Server

    async def _make_server(self) -> web.Server:
        """Make the application's server use our protocol: aiohttp has no option for it."""
        server = await super()._make_server()
        server.__class__ = self.server_type
        return server


class AdminRunner(Runner):
    """Runs the health checks and metrics on a port of their own, where requests take no turns."""

    server_type = _AdminServer
