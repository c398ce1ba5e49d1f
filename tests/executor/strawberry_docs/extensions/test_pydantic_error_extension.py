"""Errors of Pydantic have their fields in the extensions."""

import strawberry
from pydantic import BaseModel, Field
from strawberry.extensions import PydanticErrorExtension

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make

MESSAGE = "String should have at least 3 characters"


class Model(BaseModel):
    email: str = Field(min_length=3)


@strawberry.type
class Query:
    @strawberry.field
    def email(self, email: str) -> str | None:
        return Model(email=email).email

    @strawberry.field
    def informed(self, info: strawberry.Info, email: str) -> str | None:
        return Model(email=email).email


async def test_errors_tell_of_fields(schema: Make) -> None:
    for field, outcome in (("email", Outcome.RECOVERED), ("informed", Outcome.REPLAYED)):
        api = schema(Query, extensions=[PydanticErrorExtension])

        result = await api.result(f'{{ {field}(email: "a") }}')

        assert result.data == {field: None}
        assert [(error.path, error.extensions) for error in result.errors] == [
            (
                [field],
                {"validation_errors": [{"field": "email", "message": "String should have at least 3 characters"}]},
            )
        ]
        api.was_executed(outcome)


async def test_valid_values_are_compiled(schema: Make) -> None:
    await schema(Query, extensions=[PydanticErrorExtension]).gives(
        '{ email(email: "a@b.c") }', {"email": "a@b.c"}, Outcome.COMPILED
    )
