"""Each option of `StrawberryConfig` that decides how an operation is executed."""

from typing import Any

import strawberry
from strawberry import relay
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import Info

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    first_name: str


@strawberry.type
class Fruit(relay.Node):
    code: relay.NodeID[int]


@strawberry.type
class Query:
    @strawberry.field
    def the_user(self, user_name: str = "Ada") -> User:
        return User(first_name=user_name)

    @strawberry.field(graphql_type=User)
    def stored(self) -> Any:
        return {"first_name": "Bob"}

    @relay.connection(relay.ListConnection[Fruit])
    def fruits(self) -> list[Fruit]:
        return [Fruit(code=code) for code in range(5)]

    @strawberry.field
    def told(self, info: Info) -> str:
        return info.response_headers  # type: ignore[attr-defined,no-any-return]


async def test_names_are_not_camel_cased(schema: Make) -> None:
    data = {"the_user": {"first_name": "Cyd"}}

    await schema(Query, config=StrawberryConfig(auto_camel_case=False)).gives(
        '{ the_user(user_name: "Cyd") { first_name } }', data, Outcome.COMPILED
    )


class Prefixing(NameConverter):
    def get_graphql_name(self, obj: Any) -> str:
        return f"x_{super().get_graphql_name(obj)}"


async def test_names_are_converted(schema: Make) -> None:
    data = {"x_theUser": {"x_firstName": "Cyd"}}

    await schema(Query, config=StrawberryConfig(name_converter=Prefixing())).gives(
        '{ x_theUser(x_userName: "Cyd") { x_firstName } }', data, Outcome.COMPILED
    )


def item_or_attribute(value: Any, name: str) -> Any:
    try:
        return value[name]
    except (KeyError, TypeError):
        return getattr(value, name)


async def test_a_default_resolver_reads_dictionaries(schema: Make) -> None:
    data = {"stored": {"firstName": "Bob"}, "theUser": {"firstName": "Ada"}}

    await schema(Query, config=StrawberryConfig(default_resolver=item_or_attribute)).gives(
        "{ stored { firstName } theUser { firstName } }", data, Outcome.COMPILED
    )


async def test_connections_have_a_maximum(schema: Make) -> None:
    api = schema(Query, config=StrawberryConfig(relay_max_results=2))
    error = said("Argument 'first' cannot be higher than 2.", "fruits", at=(1, 3))

    await api.gives("{ fruits(first: 3) { edges { cursor } } }", None, Outcome.REPLAYED, errors=[error])
    await api.gives(
        "{ fruits { pageInfo { hasNextPage } edges { node { __typename } } } }",
        {"fruits": {"pageInfo": {"hasNextPage": True}, "edges": [{"node": {"__typename": "Fruit"}}] * 2}},
        Outcome.COMPILED,
    )


async def test_fields_are_not_suggested(schema: Make) -> None:
    text = "{ theUsers { firstName } }"
    error = said("Cannot query field 'theUsers' on type 'Query'.", at=(1, 3))
    suggesting = said("Cannot query field 'theUsers' on type 'Query'. Did you mean 'theUser'?", at=(1, 3))

    await schema(Query, config=StrawberryConfig(disable_field_suggestions=True)).gives(text, None, None, errors=[error])
    await schema(Query).gives(text, None, None, errors=[suggesting])


class CustomInfo(Info[Any, Any]):
    @property
    def response_headers(self) -> str:
        return f"headers of {self.context}"


async def test_info_has_a_class(schema: Make) -> None:
    await schema(Query, config=StrawberryConfig(info_class=CustomInfo)).gives(
        "{ told }", {"told": "headers of me"}, Outcome.COMPILED, context_value="me"
    )


async def test_a_sorted_schema_is_compiled(schema: Make) -> None:
    await schema(Query, config=StrawberryConfig(sort_schema=True)).gives(
        "{ theUser { firstName } }", {"theUser": {"firstName": "Ada"}}, Outcome.COMPILED
    )
