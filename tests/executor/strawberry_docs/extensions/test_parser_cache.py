"""Parsed documents are cached."""

from typing import Any

import pytest
import strawberry
from strawberry.extensions import ParserCache, SchemaExtension

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str) -> str:
        return f"Hello, {name}!"


class Seeing(SchemaExtension):
    def on_execute(self) -> Any:
        self.execution_context.context.append(self.execution_context.graphql_document)
        yield


@pytest.mark.parametrize("maxsize", [None, 7])
async def test_documents_are_parsed_once(schema: Make, maxsize: int | None) -> None:
    documents: list[Any] = []
    api = schema(Query, extensions=[lambda: ParserCache(maxsize=maxsize), Seeing])

    for name in ("Ada", "Bob"):
        await api.gives(
            "query ($name: String!) { hello(name: $name) }",
            {"hello": f"Hello, {name}!"},
            Outcome.COMPILED,
            variable_values={"name": name},
            context_value=documents,
        )

    assert documents[0] is documents[1]
