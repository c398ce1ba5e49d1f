"""Turns traces on, if the variables of OpenTelemetry name an endpoint and the extra `mainsheet[otel]` is installed."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping

import structlog
from aiohttp import web

from mainsheet.models.instrumentation import Instruments

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.stdlib.get_logger("mainsheet")


def is_wanted(environment: Mapping[str, str]) -> bool:
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not is_off and any(environment.get(each) for each in ENDPOINTS)


async def tracing(instruments: Instruments, _app: web.Application) -> AsyncIterator[None]:
    """Trace while the application runs."""
    if not is_wanted(os.environ):
        yield
        return
    try:
        from mainsheet.server.observe.otel import Traces  # noqa: PLC0415  # it needs the extra
    except ImportError as error:
        log.warning("no traces: install mainsheet[otel]", reason=str(error))
        yield
        return
    instruments.shared.append(traces := Traces.configured())
    yield
    instruments.shared.remove(traces)
    await asyncio.to_thread(traces.close)
