"""Traces for OpenTelemetry, with the extra `mainsheet[otel]`: spans for requests, operations, statements and commands.

The standard variables `OTEL_*` configure them. Only `tracing` imports this module, and only if they name an endpoint.
"""

import os
import time
from collections.abc import Sequence
from contextvars import ContextVar
from importlib.metadata import version
from threading import Thread
from typing import Self

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from mainsheet.models.errors import UserError
from mainsheet.models.instrumentation import Arrival, Delivery, Instrumentation, OperationRecord
from mainsheet.server.observe.metrics import outcome_of

SHARE = 0.01  # of requests without a parent that are sampled by default
SERVER_ERRORS = 500
CLOSE_SECONDS = 5

Attributes = dict[str, AttributeValue]


def provider_of_environment() -> TracerProvider:
    """Return the provider that the variables `OTEL_*` describe, with our service name and a low rate by default."""
    names = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "mainsheet"}
    resource = Resource.create({**names, "service.version": version("mainsheet")})
    sampler = None if "OTEL_TRACES_SAMPLER" in os.environ else ParentBased(TraceIdRatioBased(SHARE))
    provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces(Instrumentation):
    """Makes the spans. Those of statements and commands are made when they end, so that unsampled ones cost nothing."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("mainsheet", version("mainsheet"))
        self._propagator = TraceContextTextMapPropagator()
        self._request: ContextVar[Span | None] = ContextVar("request_span", default=None)
        self._operation: ContextVar[Span | None] = ContextVar("operation_span", default=None)

    @classmethod
    def configured(cls) -> Self:
        return cls(provider_of_environment())

    def close(self) -> None:
        """Send the remaining spans, if the collector takes them in time. Blocks."""
        closing = Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def received(self, arrival: Arrival) -> None:
        parent = self._propagator.extract(arrival.headers)
        span = self._tracer.start_span(arrival.method, parent, SpanKind.SERVER)
        context = span.get_span_context()
        arrival.fields["trace_id"] = format_trace_id(context.trace_id)
        arrival.fields["span_id"] = format_span_id(context.span_id)
        self._request.set(span)
        self._operation.set(None)

    def delivered(self, delivery: Delivery) -> None:
        span = self._request.get()
        self._request.set(None)
        if span is None:
            return
        if span.is_recording():
            span.update_name(f"{delivery.method} {delivery.route}".rstrip())
            span.set_attribute("http.request.method", delivery.method)
            span.set_attribute("http.response.status_code", delivery.status)
            span.set_attribute("http.route", delivery.route)
            if delivery.status >= SERVER_ERRORS:
                span.set_status(Status(StatusCode.ERROR))
        span.end()

    def began(self, record: OperationRecord) -> None:
        """Start a span below that of its request. An event of a subscription begins a trace of its own."""
        request = None if record.type == "subscription" else self._request.get()
        if request is not None and not request.is_recording():
            return
        # The type and not the name, which clients choose: names of spans must be few.
        self._operation.set(self._tracer.start_span(record.type, set_span_in_context(request) if request else None))

    def operated(self, record: OperationRecord) -> None:
        span = self._operation.get()
        self._operation.set(None)
        if span is None:
            return
        if span.is_recording():
            outcome = outcome_of(record)
            span.set_attribute("graphql.operation.type", record.type)
            span.set_attribute("graphql.operation.name", record.name)
            span.set_attribute("mainsheet.outcome", outcome)
            span.set_attribute("mainsheet.errors", [*record.error_codes, *record.user_errors])
            if outcome == "server_error":
                span.set_status(Status(StatusCode.ERROR))
        span.end()

    def statement(self, sql: str, seconds: float) -> None:
        name = sql.split(maxsplit=1)[0].upper()
        self._add(name, seconds, SpanKind.CLIENT, {"db.query.text": sql, "db.operation.name": name})

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:  # noqa: ARG002 as declared
        self._add(name, seconds, SpanKind.INTERNAL, {"mainsheet.outcome": outcome})

    def _add(self, name: str, seconds: float, kind: SpanKind, attributes: Attributes) -> None:
        """Add a span that has just ended."""
        parent = self._operation.get() or self._request.get()
        if parent is None or not parent.is_recording():
            return
        end = time.time_ns()
        start = end - int(seconds * 1_000_000_000)
        context = set_span_in_context(parent)
        self._tracer.start_span(name, context, kind, attributes, start_time=start).end(end)
