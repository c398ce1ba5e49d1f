"""Below the application: what isn't even HTTP gets an error in GraphQL's shape too, and one line in the log."""

from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError

from server.errors import RequestError
from server.request import JSON, undecodable

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
        error = undecodable() if isinstance(exc, ContentEncodingError) else _refusal(HTTPStatus(status), message or "")
        body = {"errors": [{"message": str(error), "extensions": {"code": error.code}}]}
        response = web.Response(
            body=orjson.dumps(body), status=error.status, content_type=JSON, charset="utf-8", headers=error.headers
        )
        response.force_close()
        return response

    def log_exception(self, *args: Any, **details: Any) -> None:
        """Leave out what a body that was refused has left on the connection: aiohttp reads on, and fails again."""
        if not isinstance(details.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **details)


def _refusal(status: HTTPStatus, message: str) -> RequestError:
    what = message.partition("\n")[0].rstrip(":. ") or "this is no HTTP"
    return RequestError(status, f"{status.phrase}: {what}.")


class _Server(web.Server):
    def __call__(self) -> Protocol:
        return Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        """Let the application's server make our protocol: aiohttp has no other place to say it."""
        server = await super()._make_server()
        server.__class__ = _Server
        return server
