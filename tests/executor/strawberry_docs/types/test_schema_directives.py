"""Schema directives describe. They change no result."""

import strawberry
from strawberry.schema_directive import Location

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.schema_directive(locations=[Location.OBJECT, Location.FIELD_DEFINITION])
class Keys:
    fields: str = strawberry.directive_field(name="as")


@strawberry.type(directives=[Keys(fields="id")])
class User:
    id: strawberry.ID
    name: str = strawberry.field(directives=[Keys(fields="name")])


@strawberry.type
class Query:
    @strawberry.field
    def user(self) -> User:
        return User(id=strawberry.ID("1"), name="Ada")


async def test_types_with_directives_are_compiled(schema: Make) -> None:
    api = schema(Query)

    await api.gives("{ user { id name } }", {"user": {"id": "1", "name": "Ada"}}, Outcome.COMPILED)
    assert 'type User @keys(as: "id")' in api.schema.as_str()
