"""Errors of validation, of types and of resolvers, partial responses, and exceptions that become results."""

from typing import Annotated, Any, Generic, TypeVar

import pytest
import strawberry
from strawberry.extensions import FieldExtension

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make

T = TypeVar("T")


class UserExists(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} exists")
        self.name = name


class Refused(Exception):
    pass


class Invalid(Exception):
    pass


@strawberry.type
class User:
    name: str


@strawberry.type
class UserExistsError:
    username: str


@strawberry.type
class Problem(Generic[T]):
    about: T


class UserExistsHandler(strawberry.ExceptionHandler[UserExists, UserExistsError]):
    def handle(self, exception: UserExists, *, field: Any, info: Any) -> UserExistsError | None:
        if exception.name == "declined":
            return None
        return UserExistsError(username=f"{exception.name} {field.python_name} {info.field_name}")


class ByAttributes(strawberry.ExceptionHandler):  # type: ignore[type-arg]  # it is the point
    exception_type = (Refused, UserExists)
    error_type = UserExistsError

    def handle(self, exception: Any, *, field: Any, info: Any) -> Any:
        return UserExistsError(username=f"by attributes: {exception}")


class Generically(strawberry.ExceptionHandler[Invalid, Problem[int]]):
    async def handle(self, exception: Invalid, *, field: Any, info: Any) -> Problem[int]:
        return Problem(about=int(str(exception)))


class Refusing(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Any, **given: Any) -> Any:
        if given["name"] == "refused":
            raise Refused("by the extension")
        return next_(source, info, **given)


Result = User | UserExistsError


def registered(name: str) -> User:
    if name in {"taken", "declined"}:
        raise UserExists(name)
    return User(name=name)


@strawberry.type
class Query:
    @strawberry.field
    def hello() -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def user() -> User:
        raise LookupError("Can't find user")

    @strawberry.field
    def successful_field(self) -> str | None:
        return "This field works"

    @strawberry.field
    def error_field(self) -> str | None:
        raise ValueError("This field fails")

    @strawberry.field
    def register(self, name: str) -> Result:
        return registered(name)

    @strawberry.field
    def nullable(self, name: str) -> Result | None:
        return registered(name)

    @strawberry.field
    def listed(self, name: str) -> list[Result] | None:
        return [registered(name)]

    @strawberry.field(extensions=[Refusing()])
    def extended(self, name: str) -> Result:
        return registered(name)

    @strawberry.field
    async def problem(self, about: str) -> Annotated[User | Problem[int], strawberry.union("UserOrProblem")]:
        raise Invalid(about)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def register(self, name: str) -> Result:
        return registered(name)


FRAGMENT = "fragment F on UserUserExistsError { __typename ... on User { name } ... on UserExistsError { username } }"


async def test_an_invalid_query_is_not_executed(schema: Make) -> None:
    await schema(Query).gives(
        "{\n  hi\n}", None, None, errors=[said("Cannot query field 'hi' on type 'Query'.", at=(2, 3))]
    )


async def test_a_non_null_field_returns_null(schema: Make) -> None:
    error = said("Cannot return null for non-nullable field Query.hello.", "hello", at=(2, 3))

    await schema(Query).gives("{\n  hello\n}", None, Outcome.RECOVERED, errors=[error])


async def test_a_resolver_raises(schema: Make) -> None:
    error = said("Can't find user", "user", at=(2, 3))

    await schema(Query).gives("{\n  user { name }\n}", None, Outcome.RECOVERED, errors=[error])


async def test_a_response_is_partial(schema: Make) -> None:
    data = {"successfulField": "This field works", "errorField": None}
    error = said("This field fails", "errorField", at=(3, 3))

    await schema(Query).gives("{\n  successfulField\n  errorField\n}", data, Outcome.RECOVERED, errors=[error])


HANDLERS = [UserExistsHandler(), ByAttributes(), Generically()]


@pytest.mark.parametrize("field", ["register", "nullable", "extended"])
async def test_an_exception_becomes_a_member_of_the_union(schema: Make, field: str) -> None:
    data = {
        "a": {"__typename": "User", "name": "new"},
        "b": {"__typename": "UserExistsError", "username": f"taken {field} {field}"},
    }

    await schema(Query, exception_handlers=HANDLERS).gives(
        f'{{ a: {field}(name: "new") {{ ...F }} b: {field}(name: "taken") {{ ...F }} }} {FRAGMENT}',
        data,
        Outcome.COMPILED,
    )


async def test_an_exception_of_a_mutation_becomes_its_result(schema: Make) -> None:
    data = {"register": {"__typename": "UserExistsError", "username": "taken register register"}}

    await schema(Query, Mutation, exception_handlers=HANDLERS).gives(
        f'mutation {{ register(name: "taken") {{ ...F }} }} {FRAGMENT}', data, Outcome.PARTS
    )


async def test_an_exception_of_a_field_extension_becomes_a_result(schema: Make) -> None:
    data = {"extended": {"__typename": "UserExistsError", "username": "by attributes: by the extension"}}

    await schema(Query, exception_handlers=HANDLERS).gives(
        f'{{ extended(name: "refused") {{ ...F }} }} {FRAGMENT}', data, Outcome.COMPILED
    )


async def test_the_first_handler_is_used(schema: Make) -> None:
    data = {"register": {"__typename": "UserExistsError", "username": "by attributes: taken exists"}}

    await schema(Query, exception_handlers=[ByAttributes(), UserExistsHandler()]).gives(
        f'{{ register(name: "taken") {{ ...F }} }} {FRAGMENT}', data, Outcome.COMPILED
    )


async def test_a_declined_exception_is_an_error(schema: Make) -> None:
    await schema(Query, exception_handlers=HANDLERS).gives(
        f'{{ nullable(name: "declined") {{ ...F }} }} {FRAGMENT}',
        {"nullable": None},
        Outcome.REPLAYED,
        errors=[said("declined exists", "nullable", at=(1, 3))],
    )


async def test_handlers_do_not_apply_to_lists(schema: Make) -> None:
    await schema(Query, exception_handlers=HANDLERS).gives(
        f'{{ listed(name: "taken") {{ ...F }} }} {FRAGMENT}',
        {"listed": None},
        Outcome.RECOVERED,
        errors=[said("taken exists", "listed", at=(1, 3))],
    )


async def test_a_handler_is_asynchronous_and_its_type_generic(async_schema: Make) -> None:
    await async_schema(Query, exception_handlers=HANDLERS).gives(
        '{ problem(about: "7") { __typename ... on IntProblem { about } } }',
        {"problem": {"__typename": "IntProblem", "about": 7}},
        Outcome.COMPILED,
    )


async def test_handled_exceptions_are_not_logged(schema: Make, caplog: pytest.LogCaptureFixture) -> None:
    await schema(Query, exception_handlers=HANDLERS).result(f'{{ register(name: "taken") {{ ...F }} }} {FRAGMENT}')

    assert caplog.records == []
