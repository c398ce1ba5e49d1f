"""Spans of the operation, its steps and its resolvers. The extension has `resolve`, so the schema is handed over."""

from typing import Any

import strawberry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from strawberry.extensions.tracing import OpenTelemetryExtension, OpenTelemetryExtensionSync

from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def login(self, name: str, password: str) -> str:
        return f"{name} logs in"


def without_passwords(arguments: dict[str, Any], info: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "password"}


async def test_resolvers_are_traced(schema: Make) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    extension = OpenTelemetryExtensionSync if schema.is_sync else OpenTelemetryExtension
    api = schema(Query, extensions=[lambda: extension(arg_filter=without_passwords, tracer_provider=provider)])

    await api.gives('query Login { login(name: "ada", password: "x") }', {"login": "ada logs in"}, None)

    spans = {span.name: dict(span.attributes or {}) for span in exporter.get_finished_spans()}
    assert spans.keys() == {
        "GraphQL Query: Login",
        "GraphQL Parsing",
        "GraphQL Validation",
        "GraphQL Resolving: login",
    }
    assert spans["GraphQL Resolving: login"]["graphql.param.name"] == "ada"
    assert "graphql.param.password" not in spans["GraphQL Resolving: login"]
