"""The arguments of a mutation become the fields of one input."""

from typing import Annotated

import strawberry
from strawberry.field_extensions import InputMutationExtension

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    username: str


@strawberry.type
class Query:
    hello: str = "world"


@strawberry.type
class Mutation:
    @strawberry.mutation(extensions=[InputMutationExtension()])
    def register_user(
        self, username: str, password: Annotated[str, strawberry.argument(description="A secret")] = "none"
    ) -> User:
        return User(username=f"{username} {password}")

    @strawberry.mutation(extensions=[InputMutationExtension()])
    async def rename_user(self, info: strawberry.Info, username: str) -> User:
        return User(username=f"{username} {info.field_name}")


async def test_a_mutation_takes_an_input(schema: Make) -> None:
    await schema(Query, Mutation).gives(
        'mutation { a: registerUser(input: {username: "ada"}) { username } }',
        {"a": {"username": "ada none"}},
        Outcome.PARTS,
    )


async def test_an_asynchronous_mutation_takes_an_input(async_schema: Make) -> None:
    await async_schema(Query, Mutation).gives(
        "mutation ($i: RenameUserInput!) { renameUser(input: $i) { username } }",
        {"renameUser": {"username": "ada renameUser"}},
        Outcome.PARTS,
        variable_values={"i": {"username": "ada"}},
    )


async def test_a_missing_field_is_refused(schema: Make) -> None:
    message = "Expected value of type 'RegisterUserInput' to include required field 'username', found: {  }."

    await schema(Query, Mutation).gives(
        "mutation { registerUser(input: {}) { username } }", None, None, errors=[said(message, at=(1, 32))]
    )
