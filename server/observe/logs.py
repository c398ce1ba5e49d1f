"""The log on stderr: lines for requests that failed, for mutations, and for what else an operator must know.

At the level `debug`, each request has a line. No line contains a secret.

All lines of a request have the fields of `LogFields`.
"""

import logging
import sys
import threading
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from mainsheet.models.errors import UserError
from mainsheet.models.instrumentation import Delivery, Instrumentation, OperationRecord, Refusal, UntrustedDocument
from mainsheet.models.trusted_document import LONGEST_ID
from mainsheet.models.unavailable import Unavailable
from mainsheet.server.http.client_address import group
from mainsheet.server.observe.log_fields import current_fields, with_fields
from mainsheet.server.observe.log_handler import LogHandler
from mainsheet.server.observe.log_once import LogOnce
from mainsheet.server.observe.log_rendering import loggable_event, quick_renderer, renderer
from mainsheet.server.observe.redaction import MOST_ITEMS, loggable
from mainsheet.server.settings import LogFormat, LogLevel

OURS = "mainsheet"  # the parent of all our loggers
LEVELS = logging.getLevelNamesMapping()
RIGHTS = {"FORBIDDEN", "SCOPE_MISSING"}  # codes of errors for which the log has an audit line
MOST_OF_A_REASON = 300
MOST_OF_A_CLIENT = 100
DOCUMENT_SECONDS = 3600  # between two lines about the same untrusted document

log = structlog.stdlib.get_logger("mainsheet")
audit_log = structlog.stdlib.get_logger("mainsheet.audit")
request_log = logging.getLogger("mainsheet.requests")
with_time = structlog.processors.TimeStamper(fmt="iso", utc=True)


def configure_logging(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Send our lines and those of the libraries through one formatter to stderr, or to `stream`."""
    shared: list[Processor] = [
        with_fields,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        with_time,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    last: list[Processor] = [drop_meta, structlog.processors.format_exc_info, loggable_event, renderer(log_format)]
    handler = LogHandler(stream, quick_renderer(log_format))
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    logging.root.handlers[:] = [handler]
    # No line names its thread or its process, which take a part of the time of each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # At debug, libraries log the values of SQL parameters. At info, Alembic logs two lines for each /readyz.
    logging.root.setLevel(max(logging.WARNING, LEVELS[level.upper()]))
    logging.getLogger(OURS).setLevel(LEVELS[level.upper()])


def log_all_output() -> None:
    """Send warnings and the tracebacks of uncaught exceptions through the log, which must have one format."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed


def _crashed(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        log.critical("crashed", exc_info=(kind, error, traceback))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    log.error("thread crashed", thread=crash.thread and crash.thread.name, exc_info=crash.exc_value)


class Logs(Instrumentation):
    """Logs requests, failures, refusals of rights, slow operations, exceeded limits, and untrusted documents."""

    def __init__(self, slow_seconds: float = 0) -> None:
        """With `slow_seconds`, log operations that take longer, with their slowest statements."""
        self._slow_seconds = slow_seconds
        self._refusals = LogOnce()
        self._documents = LogOnce(seconds=DOCUMENT_SECONDS)

    def delivered(self, delivery: Delivery) -> None:
        is_failed = delivery.status >= HTTPStatus.BAD_REQUEST or bool(delivery.error_codes)
        level = _level_of(delivery.record, is_failed=is_failed)
        if not request_log.isEnabledFor(level):
            return
        details: dict[str, Any] = {"method": delivery.method, "path": delivery.path, "status": delivery.status}
        if delivery.operation is not None:
            details["operation"] = delivery.operation
        if delivery.error_codes:
            details["errors"] = _each_once(delivery.error_codes)
        if delivery.record is not None:
            details |= _costs(delivery.record)
        _write_soon("request", details, delivery.seconds, level)

    def operated(self, record: OperationRecord) -> None:
        """Log an operation of a stream, which has no request of its own, and any slow one."""
        if "SCOPE_MISSING" in record.error_codes:  # of a query; that of a mutation is a problem of its command
            audit_log.warning("right refused", operation=record.label, code="SCOPE_MISSING")
        if record.is_streamed:
            self._log_streamed(record)
        if 0 < self._slow_seconds <= record.seconds:
            self._log_slow(record)

    def _log_streamed(self, record: OperationRecord) -> None:
        level = _level_of(record, is_failed=bool(record.error_codes))
        if request_log.isEnabledFor(level):
            errors = {"errors": _each_once(record.error_codes)} if record.error_codes else {}
            _write_soon("operation", {"operation": record.label, **errors, **_costs(record)}, record.seconds, level)

    def _log_slow(self, record: OperationRecord) -> None:
        statements = [{"ms": _milliseconds(seconds), "sql": sql} for seconds, sql in sorted(record.slowest)[::-1]]
        queued = {"queued_ms": _milliseconds(record.queued_seconds)} if record.queued_seconds else {}
        costs = {**queued, **_costs(record), "ms": _milliseconds(record.seconds)}
        log.warning("slow operation", operation=record.label, type=record.type, **costs, slowest=statements)

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:  # noqa: ARG002 as declared
        for each in problems:
            if each.code in RIGHTS:
                audit_log.warning("right refused", command=name, code=each.code, reason=each.message)

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:
        """Log one line without a traceback if the database is unavailable."""
        if isinstance(failure, Unavailable):
            reason = loggable(repr(failure.__cause__), MOST_OF_A_REASON)
            log.error("database unavailable", failure=type(failure).__name__, reason=reason)
        elif path is None:
            log.error("unexpected error", exc_info=failure)
        else:
            log.error("unexpected error", path=path, exc_info=failure)

    def refused(self, refusal: Refusal) -> None:
        if refusal.member:
            if self._refusals.is_first(f"member {refusal.member}"):
                details = {"actor": refusal.member, "organization": refusal.organization}
                log.warning("rate limited", reason=refusal.reason, **details)
        elif refusal.client and self._refusals.is_first(f"{refusal.reason} {group(refusal.client)}"):
            log.warning("client refused or cut off", reason=refusal.reason, client=refusal.client)

    def untrusted(self, document: UntrustedDocument) -> None:
        """Log a document once an hour for each client that sends it, in each process."""
        client = loggable(document.client, MOST_OF_A_CLIENT)
        document_id = loggable(document.id, LONGEST_ID)
        if self._documents.is_first(f"{document_id} {client}"):
            what = {"operation": document.operation, "client_name": client}
            log.warning("untrusted document", document=document_id, refused=document.is_refused, **what)


def _level_of(record: OperationRecord | None, *, is_failed: bool) -> int:
    """Return the level of a request's line: info if it failed or is a mutation, else debug.

    Most requests are queries that succeed, and probes. Lines for them would hide the others.
    """
    is_mutation = record is not None and record.type == "mutation"
    return logging.INFO if is_failed or is_mutation else logging.DEBUG


def _write_soon(event: str, details: Mapping[str, Any], seconds: float, level: int) -> None:
    """Log as structlog does, but quicker and soon. Handlers that others add don't get the line.

    Lists must have at most `MOST_ITEMS`, as the quick way doesn't shorten them.
    """
    line: dict[str, Any] = {**details, "ms": _milliseconds(seconds), "event": event, **current_fields()}
    line |= {"level": logging.getLevelName(level).lower(), "logger": request_log.name}
    with_time(None, "", line)
    for handler in logging.root.handlers:
        if isinstance(handler, LogHandler):
            handler.write_soon(line)


def _costs(record: OperationRecord) -> Mapping[str, Any]:
    user_errors = {"user_errors": list(record.user_errors)[:MOST_ITEMS]} if record.user_errors else {}
    database_ms = _milliseconds(record.database_seconds)
    return {**user_errors, "statements": record.statements, "database_ms": database_ms}


def _each_once(codes: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(str, codes)))[:MOST_ITEMS]  # a console would show the members of an enumeration


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
