"""Types and inputs made of Pydantic's models, by both of Strawberry's modules."""

from typing import Any

import pydantic
import pytest
import strawberry
from strawberry import pydantic as models
from strawberry.experimental import pydantic as experimental

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


class User(pydantic.BaseModel):
    id: int
    name: str = pydantic.Field(min_length=2)
    friends: list[int] = []

    @pydantic.computed_field
    def shout(self) -> str:
        return self.name.upper()


class Admin(User):
    role: int = 1


@experimental.type(model=User, all_fields=True, include_computed=True)
class UserType:
    age: int = 7

    @strawberry.field
    def described(self) -> str:
        return f"{self.name} {self.age}"  # type: ignore[attr-defined]


@experimental.input(model=User)
class UserInput:
    id: strawberry.auto
    name: strawberry.auto
    friends: strawberry.auto


@experimental.interface(model=User)
class Someone:
    id: strawberry.auto
    name: strawberry.auto


@experimental.type(model=Admin)
class AdminType(Someone):  # type: ignore[override]  # of `from_pydantic`, as the page has it
    role: strawberry.auto


@experimental.error_type(model=User)
class UserError:
    id: strawberry.auto
    name: strawberry.auto


@strawberry.type
class Query:
    @strawberry.field
    def user(self) -> UserType:
        return UserType.from_pydantic(User(id=1, name="Ada", friends=[2]), extra={"age": 36})

    @strawberry.field(graphql_type=UserType)
    def model(self) -> Any:
        return User(id=2, name="Bob")

    @strawberry.field
    def someone(self) -> list[Someone]:
        return [Admin(id=3, name="Cyd", role=4)]  # type: ignore[list-item]

    @strawberry.field
    def validated(self, user: UserInput) -> str:
        return repr(user.to_pydantic())

    @strawberry.field
    def error(self) -> UserError:
        return UserError(name=["too short"])


@pytest.mark.parametrize(
    ("text", "data", "outcome"),
    [
        (
            "{ user { id name friends shout age described } }",
            {
                "user": {
                    "id": 1,
                    "name": "Ada",
                    "friends": [2],
                    "shout": "ADA",
                    "age": 36,
                    "described": "Ada 36",
                }
            },
            Outcome.COMPILED,
        ),
        (
            "{ model { id name friends shout } }",
            {"model": {"id": 2, "name": "Bob", "friends": [], "shout": "BOB"}},
            Outcome.COMPILED,
        ),
        (
            "{ someone { __typename name ... on AdminType { role } } }",
            {"someone": [{"__typename": "AdminType", "name": "Cyd", "role": 4}]},
            Outcome.COMPILED,
        ),
        (
            '{ validated(user: {id: 1, name: "Ada"}) }',
            {"validated": "User(id=1, name='Ada', friends=[], shout='ADA')"},
            Outcome.COMPILED,
        ),
        ("{ error { id name } }", {"error": {"id": None, "name": ["too short"]}}, Outcome.COMPILED),
    ],
)
async def test_models_are_types(schema: Make, text: str, data: Any, outcome: Outcome) -> None:
    await schema(Query, types=[AdminType]).gives(text, data, outcome)


async def test_a_model_that_is_not_valid_is_an_error(schema: Make) -> None:
    api = schema(Query, types=[AdminType])

    result = await api.result('{ validated(user: {id: 1, name: "A"}) }')

    assert result.data is None
    assert [error.path for error in result.errors] == [["validated"]]
    assert "at least 2 characters" in result.errors[0].message
    api.was_executed(Outcome.RECOVERED)


@models.type
class Product(pydantic.BaseModel):
    name: str
    price: int = 1

    @pydantic.computed_field
    def shout(self) -> str:
        return self.name.upper()

    @models.field
    def told(self, info: strawberry.Info, times: int = 1) -> str:
        return f"{info.field_name} {self.name * times}"


@models.input
class NewProduct(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)
    price: int = 5


@strawberry.type
class Shop:
    @strawberry.field
    def product(self) -> Product:
        return Product(name="tea")

    @strawberry.field
    def add(self, product: NewProduct) -> Product | None:
        return Product(**product.model_dump())

    @strawberry.field
    def add_or_error(self, products: list[NewProduct]) -> Product | models.ValidationError:
        return Product(**products[0].model_dump())


async def test_a_model_is_itself_a_type(schema: Make) -> None:
    await schema(Shop).gives(
        "{ product { __typename name price shout told(times: 2) } }",
        {"product": {"__typename": "Product", "name": "tea", "price": 1, "shout": "TEA", "told": "told teatea"}},
        Outcome.COMPILED,
    )


async def test_an_input_is_a_valid_model(schema: Make) -> None:
    await schema(Shop).gives(
        'query ($p: NewProduct!) { a: add(product: {name: "tea"}) { name price } b: add(product: $p) { price } }',
        {"a": {"name": "tea", "price": 5}, "b": {"price": 7}},
        Outcome.COMPILED,
        variable_values={"p": {"name": "milk", "price": 7}},
    )


async def test_an_input_that_is_not_valid_is_an_error(schema: Make) -> None:
    detail = {
        "location": ["product", "name"],
        "message": "String should have at least 2 characters",
        "type": "string_too_short",
    }
    error = said("Invalid input: product.name: String should have at least 2 characters", "add", at=(1, 3))

    await schema(Shop).gives(
        '{ add(product: {name: "t"}) { name } }',
        {"add": None},
        Outcome.REPLAYED,
        errors=[error | {"extensions": {"validationErrors": [detail]}}],
    )


async def test_an_input_that_is_not_valid_becomes_a_result(schema: Make) -> None:
    text = """{ addOrError(products: [{name: "tea"}, {name: "t"}]) {
        ... on ValidationError { errors { location type } }
    } }"""
    data = {"addOrError": {"errors": [{"location": ["products", "1", "name"], "type": "string_too_short"}]}}

    await schema(Shop, exception_handlers=[models.PydanticValidationErrorHandler()]).gives(text, data, Outcome.COMPILED)
