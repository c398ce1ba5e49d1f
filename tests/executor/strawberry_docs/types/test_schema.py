"""The arguments of `Schema`, `execute` and `execute_sync`."""

import logging
from datetime import date
from typing import Any

import pytest
import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.interface
class Customer:
    name: str


@strawberry.type
class Individual(Customer):
    date_of_birth: date


@strawberry.type
class Company(Customer):
    founded: date
    age: int | None = strawberry.field(default=None, deprecation_reason="Age is deprecated")
    email: str = strawberry.field(default="a@b.c", metadata={"tags": ["internal"]})


@strawberry.type
class Query:
    @strawberry.field
    def get_customer(self, id: strawberry.ID) -> Customer | None:
        if id == "mark":
            return Individual(name="Mark", date_of_birth=date(1984, 5, 14))
        return Company(name="Facebook", founded=date(2004, 2, 1)) if id == "facebook" else None

    @strawberry.field
    def company(self) -> Company:
        return Company(name="Acme", founded=date(1990, 1, 1))

    @strawberry.field
    def root(self) -> str:
        return f"{self}"

    @strawberry.field
    def given(self, info: strawberry.Info) -> str:
        return f"{info.context}"

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")


async def test_further_types_are_given(schema: Make) -> None:
    text = """query ($id: ID!) { getCustomer(id: $id) {
        name ... on Individual { dateOfBirth } ... on Company { founded }
    } }"""
    api = schema(Query, types=[Individual, Company])

    for id_, customer in [
        ("mark", {"name": "Mark", "dateOfBirth": "1984-05-14"}),
        ("facebook", {"name": "Facebook", "founded": "2004-02-01"}),
        ("nobody", None),
    ]:
        await api.gives(text, {"getCustomer": customer}, Outcome.COMPILED, variable_values={"id": id_})


async def test_an_operation_is_chosen_by_name(schema: Make) -> None:
    text = "query A { company { name } } query B { company { founded } }"

    await schema(Query).gives(text, {"company": {"founded": "1990-01-01"}}, Outcome.COMPILED, operation_name="B")


async def test_root_and_context_are_passed_to_resolvers(schema: Make) -> None:
    await schema(Query).gives(
        "{ root given }",
        {"root": "the root", "given": "the context"},
        Outcome.COMPILED,
        root_value="the root",
        context_value="the context",
    )


async def test_deprecated_fields_can_be_selected(schema: Make) -> None:
    await schema(Query).gives("{ company { age } }", {"company": {"age": None}}, Outcome.COMPILED)


async def test_errors_are_logged(schema: Make, caplog: pytest.LogCaptureFixture) -> None:
    error = said("it fails", "fails", at=(1, 3))

    await schema(Query).gives("{ fails }", {"fails": None}, Outcome.RECOVERED, errors=[error])

    [record] = caplog.records
    assert (record.name, record.levelno) == ("strawberry.execution", logging.ERROR)
    assert record.exc_info
    assert repr(record.exc_info[1]) == "ValueError('it fails')"


class Collecting(strawberry.Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        execution_context.context.extend(str(error.original_error) for error in errors)


async def test_errors_are_processed(schema: Make) -> None:
    processed: list[str] = []
    errors = [said("it fails", key, at=(1, column)) for key, column in (("a", 3), ("b", 12))]

    await schema(Query, base=Collecting).gives(
        "{ a: fails b: fails }", {"a": None, "b": None}, Outcome.RECOVERED, errors=errors, context_value=processed
    )

    assert processed == ["it fails", "it fails"]


class Public(strawberry.Schema):
    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return [each for each in type_definition.fields if "internal" not in each.metadata.get("tags", [])]


async def test_fields_are_filtered(schema: Make) -> None:
    api = schema(Query, base=Public)
    error = said("Cannot query field 'email' on type 'Company'.", at=(1, 13))

    await api.gives("{ company { email } }", None, None, errors=[error])
    await api.gives("{ company { name } }", {"company": {"name": "Acme"}}, Outcome.COMPILED)


async def test_scalars_are_overridden(schema: Make) -> None:
    year = strawberry.scalar(name="Year", serialize=lambda value: value.year)

    await schema(Query, scalar_overrides={date: year}).gives(
        "{ company { founded } }", {"company": {"founded": 1990}}, Outcome.COMPILED
    )
