"""Metrics for Prometheus: those of this process, or the sums over all workers.

Any worker can answer for all of them, by `metrics_files`. `docs/operations.md` describes each metric.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial

from aiohttp import hdrs, web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from mainsheet.models.errors import UserError
from mainsheet.models.instrumentation import Delivery, Instrumentation, OperationRecord, Refusal, UntrustedDocument
from mainsheet.models.unavailable import Unavailable
from mainsheet.server.errors import Overloaded
from mainsheet.server.observe.gauges import Gauges
from mainsheet.server.observe.log_fields import detached
from mainsheet.server.observe.metrics_files import MetricsFiles
from mainsheet.server.observe.quick_histogram import QuickHistogram
from mainsheet.server.observe.recording import CLIENT_LEFT

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STATEMENT_BUCKETS = (0.0001, 0.00025, *BUCKETS)
FEW_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # of histograms with many labels

OPERATION_SECONDS = "mainsheet_operation_seconds"
MOST_NAMES = 100
LONGEST_NAME = 100
ANONYMOUS, OTHER = "anonymous", "other"

REASONS = ("start", "reload", "replacement")
SERVER_CODES = {"INTERNAL_SERVER_ERROR", "TIMEOUT"}

# They would double the number of series.
disable_created_metrics()  # type: ignore[no-untyped-call]  # has no annotations


class Names:
    """Bounds the names of operations, which clients choose: the first `MOST_NAMES`, and "other" for the rest.

    The first are those of workers that ended, so that reloads don't add up to ever more names.
    """

    def __init__(self, first: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {"": ANONYMOUS}
        for each in sorted(set(first) - {ANONYMOUS, OTHER}):
            self.label(each)

    def label(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            if len(self._names) > MOST_NAMES or len(name) > LONGEST_NAME:
                return OTHER
            known = self._names[name] = name
        return known


class Metrics(Instrumentation):
    """The metrics. Labels have only values from bounded sets: with any value of clients, memory would be unbounded."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._reading: asyncio.Task[bytes] | None = None
        self._files = MetricsFiles.of_environment()
        for collector in () if self._files else (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.gauges = Gauges(self.registry)
        self._names = Names(self._files.values_of_ended(OPERATION_SECONDS, "operation") if self._files else ())
        self.seconds = self._histogram(
            "mainsheet_http_request_seconds",
            "Time from a request's headers to its response, without WebSocket connections and event streams.",
            "method",
            "route",
            "status",
        )
        self.operation_seconds = self._histogram(
            OPERATION_SECONDS,
            "Time of an operation, with its time in the queue; of a subscription, of each of its events.",
            "operation",
            "type",
            "outcome",
            buckets=FEW_BUCKETS,
        )
        self.command_seconds = self._histogram(
            "mainsheet_command_seconds",
            "Time of a mutation's command by how it ended: done, dry_run, refused, failed.",
            "command",
            "outcome",
            buckets=FEW_BUCKETS,
        )
        self.statement_seconds = self._histogram(
            "mainsheet_statement_seconds", "Time of a database statement.", buckets=STATEMENT_BUCKETS
        )
        self.queue_seconds = self._histogram(
            "mainsheet_graphql_queue_seconds", "Time in the queue, of operations that had to wait."
        )
        self.wait_seconds = self._histogram(
            "mainsheet_pool_wait_seconds", "Time until a read got a free connection, of those that had to wait."
        )
        self.prepare_seconds = self._histogram(
            "mainsheet_graphql_prepare_seconds",
            "Time to parse and validate an operation that wasn't kept from an earlier request.",
        )
        self.attempt_seconds = self._histogram(
            "mainsheet_webhook_attempt_seconds", "Time to send a webhook's message: succeeded or failed.", "outcome"
        )
        self.loop_lag_seconds = self._histogram(
            "mainsheet_event_loop_lag_seconds", "How late the event loop woke a task that sleeps for a second."
        )
        self.executions = self._counter(
            "mainsheet_graphql_operations",
            "Operations by how they were executed: compiled, interpreted, parts, recovered, replayed, reference.",
            "executed",
        )
        self.errors = self._counter("mainsheet_graphql_errors", "Errors in responses and messages.", "code")
        self.user_errors = self._counter(
            "mainsheet_user_errors", "Problems for which commands were refused.", "command", "code"
        )
        self.replica_queries = self._counter(
            "mainsheet_replica_queries",
            "Queries that asked for a replica: replica, and failed after it; behind and unknown on the primary.",
            "outcome",
        )
        self.stream_messages = self._counter(
            "mainsheet_stream_messages",
            "Results and errors for WebSockets and event streams, once for all who share one.",
        )
        self.refusals = self._counter(
            "mainsheet_http_refused", "Clients refused or cut off to protect the server.", "reason"
        )
        self.refusals.labels(Overloaded.refusal)  # at 0, so that the first one is an increase
        self.rate_limited = self._counter(
            "mainsheet_rate_limited", "Operations refused by a caller's limits.", "reason"
        )
        self.untrusted_documents = self._counter(
            "mainsheet_untrusted_documents",
            "Requests with a document that isn't trusted, by outcome: executed (in the mode log), refused.",
            "outcome",
        )
        self.database_failures = self._counter(
            "mainsheet_database_failures", "Operations that failed because the database did.", "kind"
        )
        for kind in kinds_of(Unavailable):
            self.database_failures.labels(kind)  # at 0, so that the first one is an increase
        self.unexpected_errors = self._counter("mainsheet_unexpected_errors", "Errors of this program.")
        self.starts = self._counter(
            "mainsheet_process_starts",
            "Starts of processes by their reason: start, reload, replacement.",
            "reason",
        )
        for reason in REASONS:
            self.starts.labels(reason)
        # Looking up a child by its labels costs more than counting.
        self._seconds_of = cache(self.seconds.labels)
        self._executions_of = cache(self.executions.labels)
        self._operation_seconds_of = cache(self.operation_seconds.labels)

    def _histogram(self, name: str, help_: str, *labels: str, buckets: Sequence[float] = BUCKETS) -> Histogram:
        return QuickHistogram(name, help_, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, registry=self.registry)

    def parsed(self, seconds: float) -> None:
        self.prepare_seconds.observe(seconds)

    def queued(self) -> None:
        self.gauges.queue_length.inc()

    def dequeued(self, seconds: float) -> None:
        self.gauges.queue_length.dec()
        self.queue_seconds.observe(seconds)

    def waited(self, seconds: float) -> None:
        self.wait_seconds.observe(seconds)

    def executed(self, how: str) -> None:
        self._executions_of(how).inc()

    def operated(self, record: OperationRecord) -> None:
        name = self._names.label(record.name)
        self._operation_seconds_of(name, record.type, outcome_of(record)).observe(record.seconds)

    def statement(self, sql: str, seconds: float) -> None:  # noqa: ARG002 as declared
        self.statement_seconds.observe(seconds)

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:
        self.command_seconds.labels(name, outcome).observe(seconds)
        for each in problems:
            self.user_errors.labels(name, each.code).inc()

    def routed(self, outcome: str) -> None:
        self.replica_queries.labels(outcome).inc()

    def streamed(self, error_codes: Sequence[str]) -> None:
        self.stream_messages.inc()
        for code in error_codes:
            self.errors.labels(code).inc()

    def attempted(self, outcome: str, seconds: float) -> None:
        self.attempt_seconds.labels(outcome).observe(seconds)

    def feed_read(self, lag_seconds: float) -> None:
        self.gauges.feed_lag.set(lag_seconds)

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:  # noqa: ARG002 as declared
        if isinstance(failure, Unavailable):
            self.database_failures.labels(type(failure).__name__).inc()
        else:
            self.unexpected_errors.inc()

    def refused(self, refusal: Refusal) -> None:
        counter = self.rate_limited if refusal.member else self.refusals
        counter.labels(refusal.reason).inc()

    def untrusted(self, document: UntrustedDocument) -> None:
        self.untrusted_documents.labels("refused" if document.is_refused else "executed").inc()

    def delivered(self, delivery: Delivery) -> None:
        if delivery.is_stream:
            return
        method = delivery.method if delivery.method in hdrs.METH_ALL else "OTHER"
        self._seconds_of(method, delivery.route, delivery.status).observe(delivery.seconds)
        for code in delivery.error_codes:
            self.errors.labels(code).inc()

    async def answer(self, _request: web.Request) -> web.Response:
        """Return all metrics. Requests at the same time share one reading, so that many don't take all CPU time."""
        if self._reading is None or self._reading.done():
            self._reading = detached(self._read(), "metrics")
        body = await asyncio.shield(self._reading)
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_PLAIN_0_0_4})

    async def _read(self) -> bytes:
        self.gauges.sample()
        # In a thread, since it takes milliseconds for each worker.
        return await asyncio.to_thread(self._files.text if self._files else partial(generate_latest, self.registry))


def kinds_of(root: type[Unavailable]) -> Iterator[str]:
    for each in root.__subclasses__():
        yield each.__name__
        yield from kinds_of(each)


def outcome_of(record: OperationRecord) -> str:
    if not record.error_codes:
        return "user_error" if record.user_errors else "ok"
    codes = set(record.error_codes)
    if CLIENT_LEFT in codes:
        return "client_left"
    return "server_error" if codes & SERVER_CODES else "client_error"
