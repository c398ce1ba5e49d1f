"""CORS: requests from pages of other origins, if the settings allow them (Fetch standard, "CORS protocol")."""

from collections.abc import Collection

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from mainsheet.server.http.consistency import HEADER as CONSISTENCY_HEADER
from mainsheet.server.http.request import CLIENT_NAMES
from mainsheet.server.observe.requests import REQUEST_ID_HEADER
from mainsheet.server.operations.budget import COST_HEADER, POLICY_HEADER, REMAINING_HEADER

ALL = "*"
EXPOSED = (
    f"{REQUEST_ID_HEADER}, ETag, Retry-After, {COST_HEADER}, {POLICY_HEADER}, {REMAINING_HEADER}, {CONSISTENCY_HEADER}"
)
# Apollo Client sends its version along with its name.
CLIENT_HEADERS = (*CLIENT_NAMES, "apollographql-client-version")
PREFLIGHT = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: (
        f"Authorization, Content-Type, If-None-Match, traceparent, tracestate, {REQUEST_ID_HEADER}"
        f", {CONSISTENCY_HEADER}"
        f", {', '.join(CLIENT_HEADERS)}"
    ),
    hdrs.ACCESS_CONTROL_MAX_AGE: "7200",
}


def allow_origins(app: web.Application, origins: Collection[str]) -> None:
    """Answer preflights and add CORS headers to every response, including errors, so that scripts can read them."""

    @web.middleware
    async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_preflight(request):
            return await handler(request)
        is_allowed = _allowed(request, origins) is not None
        return web.Response(status=204, headers=PREFLIGHT if is_allowed else {})

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        if allowed := _allowed(request, origins):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allowed
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED

    app.middlewares.append(answer_preflight)
    app.on_response_prepare.append(mark)


def _is_preflight(request: web.Request) -> bool:
    has_headers = hdrs.ORIGIN in request.headers and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    return request.method == hdrs.METH_OPTIONS and has_headers


def _allowed(request: web.Request, origins: Collection[str]) -> str | None:
    if ALL in origins:
        return ALL  # tokens are sent by the script, never by the browser itself: no credentials are involved
    origin = request.headers.get(hdrs.ORIGIN)
    return origin if origin in origins else None
