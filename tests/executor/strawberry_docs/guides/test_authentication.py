"""A mutation that logs in, and a context with the user."""

from typing import Annotated, Any

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    username: str


@strawberry.type
class LoginSuccess:
    user: User


@strawberry.type
class LoginError:
    message: str


LoginResult = Annotated[LoginSuccess | LoginError, strawberry.union("LoginResult")]


class Context:
    user = User(username="ada")


@strawberry.type
class Query:
    @strawberry.field
    def get_authenticated_user(self, info: strawberry.Info[Context]) -> User | None:
        return info.context.user


@strawberry.type
class Mutation:
    @strawberry.field
    def login(self, username: str, password: str) -> LoginResult:
        if password != "right":
            return LoginError(message="Something went wrong")
        return LoginSuccess(user=User(username=username))


@pytest.mark.parametrize(
    ("password", "result"),
    [
        ("right", {"__typename": "LoginSuccess", "user": {"username": "ada"}}),
        ("wrong", {"__typename": "LoginError", "message": "Something went wrong"}),
    ],
)
async def test_a_login_succeeds_or_fails(schema: Make, password: str, result: Any) -> None:
    text = """mutation ($password: String!) { login(username: "ada", password: $password) {
        __typename ... on LoginSuccess { user { username } } ... on LoginError { message }
    } }"""

    await schema(Query, Mutation).gives(text, {"login": result}, Outcome.PARTS, variable_values={"password": password})


async def test_resolvers_read_the_user_of_the_context(schema: Make) -> None:
    await schema(Query).gives(
        "{ getAuthenticatedUser { username } }",
        {"getAuthenticatedUser": {"username": "ada"}},
        Outcome.COMPILED,
        context_value=Context(),
    )
