"""Nothing is validated: unknown fields are left out, as graphql-core does."""

import strawberry
from strawberry.extensions import DisableValidation

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    name: str


@strawberry.type
class Query:
    @strawberry.field
    def user(self) -> User:
        return User(name="Ada")


async def test_valid_operations_are_compiled(schema: Make) -> None:
    await schema(Query, extensions=[DisableValidation]).gives(
        "{ user { name } }", {"user": {"name": "Ada"}}, Outcome.COMPILED
    )


async def test_unknown_fields_are_left_out(schema: Make) -> None:
    await schema(Query, extensions=[DisableValidation]).gives(
        "{ nothing user { name nothing } }", {"user": {"name": "Ada"}}, Outcome.REFERENCE
    )
