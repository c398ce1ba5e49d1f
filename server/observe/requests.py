"""Reports each HTTP request when its headers are received and when its response is made."""

import re
from random import getrandbits
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from mainsheet.models.instrumentation import Arrival, Delivery, Instrumentation
from mainsheet.server.exchange import EXCHANGE, Exchange
from mainsheet.server.http.client_address import Clients
from mainsheet.server.observe.log_fields import LogFields, trace_id

CLIENT_GONE = 499
REQUEST_ID_HEADER = "X-Request-Id"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def observing(instruments: Instrumentation, clients: Clients) -> Middleware:
    """Return the middleware that reports requests and makes their `Exchange`."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange = request[EXCHANGE] = Exchange(_request_id(request), clients.address(request))
        fields = {"request_id": exchange.request_id, "client": exchange.client}
        if trace := trace_id(request.headers):
            fields["trace_id"] = trace
        started, response = perf_counter(), None
        with LogFields(fields):
            instruments.received(Arrival(request.method, request.headers, fields))
            try:
                response = await handler(request)
            finally:
                instruments.delivered(_delivery(request, exchange, response, perf_counter() - started))
        response.headers.setdefault(REQUEST_ID_HEADER, exchange.request_id)
        return response

    return observe


def _request_id(request: web.Request) -> str:
    given = request.headers.get(REQUEST_ID_HEADER)
    return given if given and GIVEN_ID.fullmatch(given) else f"{getrandbits(64):016x}"


def _delivery(
    request: web.Request, exchange: Exchange, response: web.StreamResponse | None, seconds: float
) -> Delivery:
    resource = request.match_info.route.resource
    return Delivery(
        method=request.method,
        path=request.path,
        route=resource.canonical if resource else "",
        status=CLIENT_GONE if response is None else response.status,
        seconds=seconds,
        is_stream=exchange.is_stream,
        operation=exchange.operation,
        record=exchange.record,
        error_codes=exchange.error_codes,
    )
