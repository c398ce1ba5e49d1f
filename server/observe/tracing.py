"""Turns traces on, if the variables of OpenTelemetry name an endpoint and the extra `mainsheet[otel]` is installed."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from mainsheet.models.instrumentation import Instrumentation

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.stdlib.get_logger("mainsheet")


def is_wanted(environment: Mapping[str, str]) -> bool:
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not is_off and any(environment.get(each) for each in ENDPOINTS)


@asynccontextmanager
async def tracing() -> AsyncIterator[list[Instrumentation]]:
    """Yield the instruments that trace: one, or none."""
    if not is_wanted(os.environ):
        yield []
        return
    try:
        from mainsheet.server.observe.otel import Traces  # noqa: PLC0415  # it needs the extra
    except ImportError as error:
        log.warning("no traces: install mainsheet[otel]", reason=str(error))
        yield []
        return
    traces = Traces.configured()
    try:
        yield [traces]
    finally:
        await asyncio.to_thread(traces.close)
