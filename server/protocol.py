"""Below the application: what isn't even HTTP gets an error in GraphQL's shape too, and one line in the log."""

from http import HTTPStatus

import orjson
import structlog
from aiohttp import web

from server.errors import Code

log = structlog.stdlib.get_logger("server")


class Protocol(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refuses; everything else fails within the application, which answers by itself."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.info("malformed request", reason=type(exc).__name__)
        what = (message or "").partition("\n")[0].rstrip(":. ")
        error = {
            "message": f"{HTTPStatus(status).phrase}: {what or 'this is no HTTP'}.",
            "extensions": {"code": Code.BAD_USER_INPUT},
        }
        response = web.Response(
            body=orjson.dumps({"errors": [error]}), status=status, content_type="application/json", charset="utf-8"
        )
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> Protocol:
        return Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        """Let the application's server make our protocol: aiohttp has no other place to say it."""
        server = await super()._make_server()
        server.__class__ = _Server
        return server
