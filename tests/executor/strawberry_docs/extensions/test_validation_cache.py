"""The errors of validation are cached, and invalid documents stay refused."""

import strawberry
from graphql import ValidationRule
from strawberry.extensions import AddValidationRules, ParserCache, ValidationCache

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"


async def test_documents_are_validated_once(schema: Make) -> None:
    validated: list[str] = []

    class Counting(ValidationRule):
        def enter_field(self, node: object, *_: object) -> None:
            validated.append("field")

    extensions = [lambda: AddValidationRules([Counting]), ParserCache, lambda: ValidationCache(maxsize=100)]
    api = schema(Query, extensions=extensions)
    error = said("Cannot query field 'bye' on type 'Query'.", at=(1, 3))

    for _ in range(2):
        await api.gives("{ hello }", {"hello": "Hello, world!"}, Outcome.COMPILED)
        await api.gives("{ bye }", None, None, errors=[error])

    assert validated == ["field", "field"]
