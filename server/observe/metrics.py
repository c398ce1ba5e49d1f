"""Metrics for Prometheus: those of this process, or the sums over all workers.

Workers write their metrics to files in the folder `PROMETHEUS_MULTIPROC_DIR`, which keeps the counts of workers that
ended. Any worker can answer for all of them. Memory and CPU time are left out then, because they have no sum.
"""

import os
from collections.abc import Sequence
from functools import cache

from aiohttp import hdrs, web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from mainsheet.models.errors import UserError
from mainsheet.models.instrumentation import Delivery, Instrumentation, Refusal

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics(Instrumentation):
    """The metrics. Labels have only values from fixed sets: with values of clients, memory would be unbounded."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._is_one_of_many = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        for collector in () if self._is_one_of_many else (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.seconds = Histogram(
            "mainsheet_http_request_seconds",
            "Time from a request's headers to its answer.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.operations = Counter(
            "mainsheet_graphql_operations",
            "Operations by how they were executed: compiled, interpreted, parts, recovered, replayed, reference.",
            ("executed",),
            registry=self.registry,
        )
        self.errors = Counter("mainsheet_graphql_errors", "Errors in answers.", ("code",), registry=self.registry)
        self.refusals = Counter(
            "mainsheet_http_refused",
            "Clients refused or cut off to protect the server.",
            ("reason",),
            registry=self.registry,
        )
        self.rate_limited = Counter(
            "mainsheet_rate_limited", "Operations refused by a caller's limits.", ("reason",), registry=self.registry
        )
        self.queue_length = Gauge(
            "mainsheet_graphql_queue_length",
            "Operations that wait for their caller's turn.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.queue_seconds = Histogram(
            "mainsheet_graphql_queue_seconds",
            "Time in the queue, of operations that had to wait.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.prepare_seconds = Histogram(
            "mainsheet_graphql_prepare_seconds",
            "Time to parse and validate an operation that wasn't kept from an earlier request.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.commands = Counter(
            "mainsheet_commands",
            "Commands of mutations by how they ended: done, dry_run, refused, failed.",
            ("command", "outcome"),
            registry=self.registry,
        )
        self.feed_lag = Gauge(
            "mainsheet_feed_lag_seconds",
            "How long events of organizations with subscriptions or webhooks have waited for an older transaction.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._seconds_of = cache(self.seconds.labels)  # looking up a child by its labels costs more than counting
        self._operations_of = cache(self.operations.labels)

    def parsed(self, seconds: float) -> None:
        self.prepare_seconds.observe(seconds)

    def queued(self) -> None:
        self.queue_length.inc()

    def dequeued(self, seconds: float) -> None:
        self.queue_length.dec()
        self.queue_seconds.observe(seconds)

    def executed(self, how: str) -> None:
        self._operations_of(how).inc()

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:  # noqa: ARG002 as declared
        self.commands.labels(name, outcome).inc()

    def feed_read(self, lag_seconds: float) -> None:
        self.feed_lag.set(lag_seconds)

    def refused(self, refusal: Refusal) -> None:
        counter = self.rate_limited if refusal.member else self.refusals
        counter.labels(refusal.reason).inc()

    def delivered(self, delivery: Delivery) -> None:
        if delivery.is_stream:
            return
        method = delivery.method if delivery.method in hdrs.METH_ALL else "OTHER"
        self._seconds_of(method, delivery.route, delivery.status).observe(delivery.seconds)
        for code in delivery.error_codes:
            self.errors.labels(code).inc()

    async def answer(self, _request: web.Request) -> web.Response:
        registry = self.registry
        if self._is_one_of_many:
            MultiProcessCollector(registry := CollectorRegistry())  # type: ignore[no-untyped-call]  # has no annotations
        return web.Response(body=generate_latest(registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_PLAIN_0_0_4})
