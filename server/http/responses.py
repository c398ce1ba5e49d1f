"""Turns results and failures into HTTP responses in GraphQL's shape."""

from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import ClientConnectionResetError, hdrs, web
from aiohttp.typedefs import Handler
from graphql import ExecutionResult

from mainsheet.executor.turns import next_turn
from mainsheet.models.instrumentation import Refusal
from mainsheet.models.unavailable import Unavailable
from mainsheet.server.app_keys import INSTRUMENTS
from mainsheet.server.errors import (
    Code,
    RateLimited,
    RequestError,
    answer_too_large,
    masked,
    operation_failed,
)
from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.accept import accepts, combined
from mainsheet.server.http.encoding import body_of
from mainsheet.server.http.request import GRAPHQL_RESPONSE, JSON, answer_type
from mainsheet.server.http.schema_cache import cache_headers
from mainsheet.server.observe.requests import CLIENT_GONE

# These close the connection: its remaining input isn't wanted, and clients that guess tokens have to reconnect.
CLOSING = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}

PART = 128 * 1024  # bytes
VARY = f"{hdrs.ACCEPT}, {hdrs.ACCEPT_ENCODING}, {hdrs.AUTHORIZATION}"
SMALL = 1024  # bytes; compressed, they would take as many packets
COMPRESSED_INLINE = 32 * 1024  # bytes, in about 0.1 ms; aiohttp compresses larger bodies in a thread

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Mainsheet</title>
<p>This is a GraphQL endpoint. Send operations by POST as <code>{"query": "{ __typename }"}</code>
with a bearer token.</p></html>
"""


async def respond(request: web.Request, result: ExecutionResult, media_type: str, most_bytes: int) -> web.Response:
    """Return the response: 400 in the new media type if nothing was executed, where the old one always has 200."""
    response = await _response(request, result, media_type)
    if (size := response.content_length or 0) > most_bytes:  # while it is built, each character counts as one byte
        return await _response(request, ExecutionResult(None, [answer_too_large(size, most_bytes)]), media_type)
    return response


async def _response(request: web.Request, result: ExecutionResult, media_type: str) -> web.Response:
    exchange = request[EXCHANGE]
    values = (exchange.spending and exchange.spending.actual) or 0
    body = await body_of(result, exchange.request_id, values)
    is_refused = "data" not in body
    status = HTTPStatus.BAD_REQUEST if is_refused and media_type == GRAPHQL_RESPONSE else HTTPStatus.OK
    return json_response(request, body, status=status, media_type=media_type)


def json_response(
    request: web.Request,
    body: Mapping[str, Any],
    *,
    status: HTTPStatus,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    exchange = request[EXCHANGE]
    exchange.error_codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    own: dict[str, str] = {
        hdrs.CONTENT_TYPE: f"{media_type}; charset=utf-8",
        hdrs.CACHE_CONTROL: "no-store",
        hdrs.VARY: VARY,
    }
    if exchange.spending:
        own |= exchange.spending.headers()
    if exchange.consistency:
        own |= exchange.consistency.headers()
    if exchange.etag and body.keys() == {"data"}:  # an error or a trace is of this request only
        own |= cache_headers(exchange.etag)
    if headers:
        own |= headers
    return _sized(request, orjson.dumps(body), status, own)


def _sized(request: web.Request, content: bytes, status: HTTPStatus, headers: dict[str, str]) -> web.Response:
    """Return the response: in parts if it is large, and compressed unless it is small."""
    body: bytes | AsyncIterator[bytes] = content
    if len(content) > PART:
        body = _parts(content)
        headers[hdrs.CONTENT_LENGTH] = str(len(content))
    response = web.Response(body=body, status=status, headers=headers, zlib_executor_size=COMPRESSED_INLINE)
    if len(content) > SMALL and accepts("gzip", combined(request, hdrs.ACCEPT_ENCODING)):
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    """Yield parts that the system takes quickly: writing megabytes at once makes other requests wait."""
    for start in range(0, len(content), PART):
        if start:
            await next_turn()
        yield content[start : start + PART]


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestError as error:
        if error.refusal:
            request.app[INSTRUMENTS].refused(Refusal(error.refusal))
        return _refused(request, error)
    except Unavailable as failure:
        return _unavailable(request, failure)
    except web.HTTPException as error:
        return _raised(request, error)
    except ClientConnectionResetError:  # the client left, and this task isn't cancelled yet
        return web.Response(status=CLIENT_GONE)
    except Exception as failure:  # noqa: BLE001 every handler's failures end here
        request.app[INSTRUMENTS].failed(failure)
        return _failed(request, HTTPStatus.INTERNAL_SERVER_ERROR, [masked(request[EXCHANGE].request_id)])


def _refused(request: web.Request, error: RequestError) -> web.Response:
    """Return the error, and the cost of an operation over a limit, if its document was prepared."""
    spending = request[EXCHANGE].spending
    extensions = {"cost": spending.extensions()} if spending and isinstance(error, RateLimited) else None
    errors = [_error(str(error), error.code, error.extensions)]
    response = _failed(request, error.status, errors, error.headers, extensions)
    if error.closes:
        response.force_close()
    return response


def _unavailable(request: web.Request, failure: Unavailable) -> web.Response:
    """Return 503 only if the request is safe to repeat: some clients and proxies repeat it automatically."""
    request.app[INSTRUMENTS].failed(failure)
    error, retry_after = operation_failed(failure, request[EXCHANGE].request_id), failure.retry_after
    if retry_after is None:
        return _failed(request, HTTPStatus.INTERNAL_SERVER_ERROR, [error])
    return _failed(request, HTTPStatus.SERVICE_UNAVAILABLE, [error], {"Retry-After": str(retry_after)})


def _raised(request: web.Request, error: web.HTTPException) -> web.Response:
    if error.status < HTTPStatus.BAD_REQUEST:  # 304
        return web.Response(status=error.status, headers={**error.headers, hdrs.VARY: VARY})
    headers = {"Allow": error.headers[hdrs.ALLOW]} if hdrs.ALLOW in error.headers else {}
    status = HTTPStatus(error.status)
    is_said = error.text != f"{error.status}: {error.reason}"  # aiohttp's text if we gave none
    message = f"{status.phrase}: {error.text}" if is_said else f"{status.phrase}."
    return _failed(request, status, [_error(message, Code.BAD_USER_INPUT)], headers)


def _error(message: str, code: Code, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, **(more or {})}}


def _failed(
    request: web.Request,
    status: HTTPStatus,
    errors: Iterable[Mapping[str, Any]],
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> web.Response:
    media_type = _failure_type(request)
    body = {"errors": errors, **({"extensions": extensions} if extensions else {})}
    response = json_response(request, body, status=status, media_type=media_type, headers=headers)
    if status in CLOSING or not request.content.is_eof():
        response.force_close()
    return response


def _failure_type(request: web.Request) -> str:
    try:
        return answer_type(combined(request, hdrs.ACCEPT))
    except RequestError:
        return JSON


async def answer_page(_request: web.Request) -> web.Response:
    policy = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    return web.Response(text=PAGE, content_type="text/html", headers=policy)
