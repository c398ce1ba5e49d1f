"""Operations with too many aliases are refused."""

import strawberry
from strawberry.extensions import MaxAliasesLimiter

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"


async def test_aliases_are_counted(schema: Make) -> None:
    api = schema(Query, extensions=[lambda: MaxAliasesLimiter(max_alias_count=2)])

    await api.gives("{ a: hello b: hello c: hello }", None, None, errors=[{"message": "3 aliases found. Allowed: 2"}])
    await api.gives("{ a: hello b: hello }", {"a": "Hello, world!", "b": "Hello, world!"}, Outcome.COMPILED)
