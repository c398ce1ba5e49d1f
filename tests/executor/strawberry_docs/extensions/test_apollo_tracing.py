"""The response has the time of each resolver. The extension has `resolve`, so the schema is handed over."""

import strawberry
from strawberry.extensions.tracing import ApolloTracingExtension, ApolloTracingExtensionSync

from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    name: str

    @strawberry.field
    def shout(self) -> str:
        return self.name.upper()


@strawberry.type
class Query:
    @strawberry.field
    def users(self) -> list[User]:
        return [User(name="Ada"), User(name="Bob")]


async def test_resolvers_are_traced(schema: Make) -> None:
    extension = ApolloTracingExtensionSync if schema.is_sync else ApolloTracingExtension
    api = schema(Query, extensions=[extension])

    result = await api.result("{ users { name shout } }")

    assert result.data == {"users": [{"name": "Ada", "shout": "ADA"}, {"name": "Bob", "shout": "BOB"}]}
    tracing = result.extensions["tracing"]
    assert tracing["version"] == 1
    assert sorted(str(each["path"]) for each in tracing["execution"]["resolvers"]) == [
        "['users', 0, 'shout']",
        "['users', 1, 'shout']",
        "['users']",
    ]
    api.was_executed()
