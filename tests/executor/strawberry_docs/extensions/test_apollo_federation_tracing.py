"""A trace is in the response if the request has the header."""

from base64 import b64decode
from types import SimpleNamespace

import pytest
import strawberry
from strawberry import federation
from strawberry.extensions.tracing import ApolloFederationTracingExtension, ApolloFederationTracingExtensionSync

from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"


@pytest.mark.parametrize("headers", [{}, {"apollo-federation-include-trace": "ftv1"}])
async def test_a_trace_is_asked_for(schema: Make, headers: dict[str, str]) -> None:
    extension = ApolloFederationTracingExtensionSync if schema.is_sync else ApolloFederationTracingExtension
    api = schema(Query, base=federation.Schema, extensions=[extension])

    result = await api.result("{ hello }", context_value={"request": SimpleNamespace(headers=headers)})

    assert result.data == {"hello": "Hello, world!"}
    traces = [b64decode(each) for each in (result.extensions or {}).values()]
    assert [b"hello" in each for each in traces] == ([True] if headers else [])
    api.was_executed()
