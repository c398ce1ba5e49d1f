"""The schema that is exported is the same one."""

import strawberry

from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field(description="A greeting.")
    def hello(self, name: str = "World") -> str:
        return name


async def test_the_schema_is_printed(schema: Make) -> None:
    assert schema(Query).schema.as_str() == (
        'type Query {\n  """A greeting."""\n  hello(name: String! = "World"): String!\n}'
    )


async def test_the_schema_is_introspected(schema: Make) -> None:
    names = {each["name"] for each in schema(Query).schema.introspect()["__schema"]["types"]}

    assert {"Query", "String", "__Schema"} <= names
