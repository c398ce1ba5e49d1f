"""The log on stderr: one line for each request. All lines have the request's id; none contains a token."""

import logging
import re
import sys
from collections.abc import Sequence
from random import getrandbits
from time import perf_counter
from typing import Any, TextIO

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from structlog.contextvars import bind_contextvars, merge_contextvars, reset_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from mainsheet.models.instrumentation import Delivery, Instrumentation, Refusal
from mainsheet.models.unavailable import Unavailable
from mainsheet.server.app_keys import CLIENT, CLIENTS, ERROR_CODES, INSTRUMENTS, MEMBER, REQUEST_ID
from mainsheet.server.http.client_address import group
from mainsheet.server.observe.log_once import LogOnce
from mainsheet.server.observe.redaction import LONGEST, LONGEST_TRACEBACK, loggable
from mainsheet.server.process.shutdown import OPERATION
from mainsheet.server.settings import LogFormat, LogLevel

OURS = "mainsheet"  # the parent of all our loggers
LEVELS = logging.getLevelNamesMapping()
CLIENT_GONE = 499
REQUEST_ID_HEADER = "X-Request-Id"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

MOST_OF_A_REASON = 300

log = structlog.stdlib.get_logger("mainsheet")
request_log = structlog.stdlib.get_logger("mainsheet.requests")
requests = logging.getLogger("mainsheet.requests")


def configure_logging(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Send our lines and those of the libraries through one formatter to stderr, or to `stream`."""
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(log_format))
    )
    logging.root.handlers[:] = [handler]
    # At debug, libraries log the values of SQL parameters. At info, Alembic logs two lines for each /readyz.
    logging.root.setLevel(max(logging.WARNING, LEVELS[level.upper()]))
    logging.getLogger(OURS).setLevel(LEVELS[level.upper()])


def _rendering(log_format: LogFormat) -> list[Processor]:
    drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    prepare: list[Processor] = [drop_meta, structlog.processors.format_exc_info, _loggable]
    if log_format == "console":
        # The default formatter prints local variables, which may contain tokens and data.
        plain = structlog.dev.plain_traceback
        return [*prepare, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [*prepare, structlog.processors.JSONRenderer(default=str)]


def _loggable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Shorten and redact every value. All log lines pass through here."""
    return {
        name: loggable(value, LONGEST_TRACEBACK if name == "exception" else LONGEST) for name, value in event.items()
    }


@web.middleware
async def observe_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[REQUEST_ID], request[CLIENT] = _request_id(request), request.app[CLIENTS].address(request)
    started, status = perf_counter(), CLIENT_GONE
    tokens = bind_contextvars(request_id=request[REQUEST_ID])
    try:
        response = await handler(request)
        status = response.status
    finally:
        _record(request, status, perf_counter() - started)
        reset_contextvars(**tokens)
    response.headers.setdefault(REQUEST_ID_HEADER, request[REQUEST_ID])
    return response


def _request_id(request: web.Request) -> str:
    given = request.headers.get(REQUEST_ID_HEADER)
    return given if given and GIVEN_ID.fullmatch(given) else f"{getrandbits(64):016x}"


def _record(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    delivery = Delivery(
        method=request.method,
        path=request.path,
        route=resource.canonical if resource else "",
        status=status,
        seconds=seconds,
        client=request[CLIENT],
        operation=request.get(OPERATION),
        member=request.get(MEMBER),
        error_codes=request.get(ERROR_CODES, ()),
    )
    request.app[INSTRUMENTS].delivered(delivery)


class Logs(Instrumentation):
    """Logs each request, each failure, and the first refusal of each client in a minute."""

    def __init__(self) -> None:
        self._refusals = LogOnce()

    def delivered(self, delivery: Delivery) -> None:
        if not requests.isEnabledFor(logging.INFO):
            return
        details: dict[str, Any] = {"method": delivery.method, "path": delivery.path, "status": delivery.status}
        details["client"] = delivery.client
        if delivery.operation is not None:
            details["operation"] = delivery.operation
        if delivery.member is not None:
            details["member"] = delivery.member
        request_log.info("request", **details, ms=round(delivery.seconds * 1000, 2))

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:
        """Log one line without a traceback if the database is unavailable."""
        if isinstance(failure, Unavailable):
            reason = repr(failure.__cause__)[:MOST_OF_A_REASON]
            log.error("database unavailable", failure=type(failure).__name__, reason=reason)
        elif path is None:
            log.error("unexpected error", exc_info=failure)
        else:
            log.error("unexpected error", path=path, exc_info=failure)

    def refused(self, refusal: Refusal) -> None:
        if refusal.member:
            if self._refusals.is_first(f"member {refusal.member}"):
                details = {"member": refusal.member, "organization": refusal.organization}
                log.warning("rate limited", reason=refusal.reason, **details)
        elif refusal.client and self._refusals.is_first(f"{refusal.reason} {group(refusal.client)}"):
            log.warning("client refused or cut off", reason=refusal.reason, client=refusal.client)
