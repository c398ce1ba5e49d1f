"""An interface's fields are resolved by its types, whose objects are instances, or rows with `is_type_of`."""

from types import SimpleNamespace
from typing import Any

import strawberry

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.interface
class Customer:
    name: str

    @strawberry.field
    def title(self) -> str:
        return self.name.title()


@strawberry.type
class Individual(Customer):
    employed_by: "Company | None" = None


@strawberry.type
class Company(Customer):
    employees: list[Individual] = strawberry.field(default_factory=list)

    @strawberry.field
    def title(self) -> str:
        return f"{self.name} Limited"


@strawberry.interface
class Error:
    message: str


@strawberry.interface
class FieldError(Error):
    field: str


@strawberry.type
class PasswordTooShort(FieldError):
    min_length: int


@strawberry.type
class Stored(Customer):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, SimpleNamespace)


ACME = Company(name="acme", employees=[Individual(name="ada lovelace")])


@strawberry.type
class Query:
    @strawberry.field
    def customers(self) -> list[Customer]:
        return [ACME, Individual(name="bob", employed_by=ACME), SimpleNamespace(name="cyd")]  # type: ignore[list-item]

    @strawberry.field
    def best_customer(self) -> Customer | None:
        return None

    @strawberry.field
    def error(self) -> Error:
        return PasswordTooShort(message="too short", field="password", min_length=8)

    @strawberry.field
    def nobody(self) -> Customer | None:
        return "nobody"  # type: ignore[return-value]


TYPES = [Individual, Company, PasswordTooShort, Stored]


async def test_each_type_resolves_its_fields(schema: Make) -> None:
    text = """{ bestCustomer { name } customers {
        __typename title ... on Company { employees { name title } } ... on Individual { employedBy { name } }
    } }"""
    data = {
        "bestCustomer": None,
        "customers": [
            {
                "__typename": "Company",
                "title": "acme Limited",
                "employees": [{"name": "ada lovelace", "title": "Ada Lovelace"}],
            },
            {"__typename": "Individual", "title": "Bob", "employedBy": {"name": "acme"}},
            {"__typename": "Stored", "title": "Cyd"},
        ],
    }

    await schema(Query, types=TYPES).gives(text, data, Outcome.COMPILED)


async def test_interfaces_implement_interfaces(schema: Make) -> None:
    text = "{ error { message ... on FieldError { field ... on PasswordTooShort { minLength } } } }"
    data = {"error": {"message": "too short", "field": "password", "minLength": 8}}

    await schema(Query, types=TYPES).gives(text, data, Outcome.COMPILED)


async def test_a_value_of_no_type_is_an_error(schema: Make) -> None:
    message = (
        "Abstract type 'Customer' must resolve to an Object type at runtime for field 'Query.nobody'. Either the "
        "'Customer' type should provide a 'resolve_type' function or each possible type should provide an "
        "'is_type_of' function."
    )

    await schema(Query, types=TYPES).gives(
        "{ nobody { name } }", {"nobody": None}, Outcome.REPLAYED, errors=[said(message, "nobody", at=(1, 3))]
    )
