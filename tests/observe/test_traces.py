"""Traces: spans for a request, its operation, statements and commands, sent to a collector."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from threading import Event
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.server.observe import otel
from mainsheet.server.observe.otel import Traces
from mainsheet.server.observe.tracing import is_wanted
from testbed.ask import Ask
from testbed.world import World, token
from tests.live.conftest import PATIENCE, Live
from tests.live.test_subscriptions import end
from tests.observe.conftest import Log, ask
from tests.server.commands import serving

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = ({"traceparent": f"00-{TRACE}-{PARENT}-{flags}"} for flags in ("01", "00"))
ME = "query Me { me { actor { displayName } } }"
RENAME = 'mutation Rename { updateOrganization(input: {name: "North"}) { userErrors { code } } }'
FEED = "subscription Feed($after: String) { events(after: $after) { id } }"


class Spans:
    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [each for each in self.all if each.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


@pytest.fixture
async def spans(live: Live, database: Database) -> AsyncIterator[Spans]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces = Traces(provider)
    database.instrumentation.add(traces)
    yield Spans(exporter)
    database.instrumentation.remove(traces)
    traces.close()


async def changed(ask: Ask, world: World) -> str:
    """Make an event and return its cursor, after which a subscription gets all later ones, whenever it begins."""
    await ask(world.admin, RENAME.replace("North", "South"))
    return await end(ask, world)


def parent_of(span: ReadableSpan) -> str | None:
    return format_span_id(span.parent.span_id) if span.parent else None


def traces_of(spans: Iterable[ReadableSpan]) -> set[int]:
    return {each.context.trace_id for each in spans if each.context}


def id_of(span: ReadableSpan) -> str:
    assert span.context
    return format_span_id(span.context.span_id)


async def test_a_request_has_spans_within_the_clients_trace(live: Live, world: World, spans: Spans, log: Log) -> None:
    await ask(live, world.admin, RENAME, SAMPLED)

    request, operation, command = spans.one("POST /graphql"), spans.one("mutation"), spans.one("updateOrganization")
    statements = [each for each in spans.all if each.kind is SpanKind.CLIENT]
    assert {format_trace_id(each.context.trace_id) for each in spans.all if each.context} == {TRACE}
    assert parent_of(request) == PARENT
    assert parent_of(operation) == id_of(request)
    assert parent_of(command) == id_of(operation)
    assert {parent_of(each) for each in statements} == {id_of(request), id_of(operation)}  # the token's, the others
    assert dict(operation.attributes or {}) == {
        "graphql.operation.type": "mutation",
        "graphql.operation.name": "Rename",
        "mainsheet.outcome": "ok",
        "mainsheet.errors": (),
    }
    assert "UPDATE" in {each.name for each in statements}
    assert "North" not in str([each.attributes for each in spans.all])
    assert (log.last("request")["trace_id"], log.last("request")["span_id"]) == (TRACE, id_of(request))
    assert (command.start_time or 0) >= (operation.start_time or 0) > 0


async def test_an_unsampled_request_has_no_spans_but_its_trace_in_the_log(
    live: Live, world: World, spans: Spans, log: Log
) -> None:
    await ask(live, world.admin, RENAME, UNSAMPLED)

    assert spans.all == []
    assert log.last("request")["trace_id"] == TRACE


async def test_each_request_without_a_trace_begins_one(live: Live, world: World, spans: Spans, log: Log) -> None:
    for _ in range(2):
        await ask(live, world.admin, ME)

    traces = {format_trace_id(each.context.trace_id) for each in spans.named("POST /graphql") if each.context}
    assert len(traces) == 2
    assert {line["trace_id"] for line in log.of("request")} == traces


async def test_each_event_of_a_subscription_has_a_trace(
    live: Live, world: World, spans: Spans, database: Database
) -> None:
    after = await changed(Ask(database), world)
    async with live.socket(world.admin) as socket:
        await socket.subscribe("1", FEED, after=after)
        await socket.subscribe("2", ME)
        assert (await socket.receive())["type"] == "next"
        assert (await socket.receive())["type"] == "complete"
        await ask(live, world.admin, RENAME)
        assert (await socket.receive())["type"] == "next"
        event = spans.one("subscription")

    assert event.parent is None
    assert spans.one("query").parent is not None
    assert parent_of(spans.named("SELECT")[-1]) is not None


async def test_later_events_of_a_subscription_are_not_in_the_trace_of_its_request(
    live: Live, world: World, spans: Spans, database: Database
) -> None:
    after = await changed(Ask(database), world)
    async with live.socket(world.admin) as socket:
        await socket.subscribe("1", ME)
        while (await socket.receive())["type"] != "complete":
            pass
        await socket.subscribe("2", FEED, after=after)
        for name in ("East", "West"):
            before = len(spans.all)
            await ask(live, world.admin, RENAME.replace("North", name))
            assert (await socket.receive())["type"] == "next"

    (trace,) = traces_of(spans.named("query"))
    assert trace not in traces_of(each for each in spans.all[before:] if each.name != "GET /graphql")


async def test_a_failure_of_the_server_is_an_error(live: Live, world: World, spans: Spans, database: Database) -> None:
    secret = await token(database, world.admin)
    await ask(live, secret, ME)
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE organization RENAME COLUMN name TO other"))
    await ask(live, secret, RENAME)

    assert spans.one("query").status.status_code is StatusCode.UNSET
    assert spans.one("mutation").status.status_code is StatusCode.ERROR


def test_a_silent_collector_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "CLOSE_SECONDS", 0)
    is_closed, answered = Event(), Event()

    class Silent(SpanProcessor):
        def shutdown(self) -> None:
            is_closed.wait(PATIENCE)
            answered.set()

    provider = TracerProvider()
    provider.add_span_processor(Silent())
    Traces(provider).close()

    assert not answered.is_set()
    is_closed.set()
    assert answered.wait(PATIENCE)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_standard_variables_turn_traces_on(environment: dict[str, str], *, wanted: bool) -> None:
    assert is_wanted(environment) is wanted


async def test_a_server_sends_its_spans_to_the_collector(sqlite_demo_url: str) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()

    async def collect(request: web.Request) -> web.Response:
        received.put_nowait(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response()

    collector = web.Application()
    collector.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(collector)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    environment = {"MAINSHEET_DATABASE_URL": sqlite_demo_url, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}

    def serve_and_ask() -> None:
        with serving(environment=environment | {"OTEL_TRACES_SAMPLER": "always_on"}) as server:
            subprocess.run([sys.executable, "-c", GET, server.url], check=True)
            assert server.stop() == 0  # what is left is sent at the end

    await asyncio.to_thread(serve_and_ask)
    await runner.cleanup()

    (resource,) = received.get_nowait().resource_spans
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    names = {span.name for scope in resource.scope_spans for span in scope.spans}
    assert attributes["service.name"] == "mainsheet"
    assert "GET /graphql" in names


GET = """
import sys, urllib.request, urllib.error
try:
    urllib.request.urlopen(sys.argv[1] + "?query={me{id}}")
except urllib.error.HTTPError as error:
    assert error.code == 401
"""

IMPORT = """
import sys
{before}
import asyncio, os
from mainsheet.server.commands import worker
from mainsheet.server.observe.tracing import tracing

async def main():
    async with tracing() as traces:
        print(len(traces), sys.modules.get("opentelemetry") is not None)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("before", "printed"),
    [
        ("", "0 False"),
        ("sys.modules['opentelemetry'] = None", "no traces: install mainsheet[otel]"),
    ],
)
def test_nothing_of_opentelemetry_is_needed_without_the_extra(before: str, printed: str) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"} if before else {}
    command = [sys.executable, "-c", IMPORT.format(before=before)]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert printed in result.stdout
