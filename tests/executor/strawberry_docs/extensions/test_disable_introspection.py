"""Introspection is refused. Fields of a federated schema aren't."""

import strawberry
from strawberry.extensions import DisableIntrospection

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"


async def test_introspection_is_refused(schema: Make) -> None:
    message = "GraphQL introspection has been disabled, but the requested query contained the field '__schema'."

    await schema(Query, extensions=[DisableIntrospection]).gives(
        "query {\n  __schema {\n    __typename\n  }\n}", None, None, errors=[said(message, at=(2, 3))]
    )


async def test_other_fields_are_compiled(schema: Make) -> None:
    await schema(Query, extensions=[DisableIntrospection]).gives(
        "{ __typename hello }", {"__typename": "Query", "hello": "Hello, world!"}, Outcome.COMPILED
    )
