"""Built-in scalars, custom ones, and built-in ones that are replaced."""

import base64
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

import pytest
import strawberry
from strawberry.scalars import JSON, Base16, Base32, Base64
from strawberry.schema.config import StrawberryConfig

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make

Encoded = NewType("Encoded", bytes)
Currency = NewType("Currency", Decimal)
BigInt = NewType("BigInt", int)
BIG = 9007199254740993

SCALARS = StrawberryConfig(
    scalar_map={
        Encoded: strawberry.scalar(
            name="Encoded",
            serialize=lambda value: base64.b64encode(value).decode(),
            parse_value=lambda value: base64.b64decode(value.encode()),
        ),
        Currency: strawberry.scalar(
            name="Currency",
            serialize=lambda value: str(value.quantize(Decimal("0.01"))),
            parse_value=lambda value: Decimal(value).quantize(Decimal("0.01")),
        ),
        BigInt: strawberry.scalar(name="BigInt", serialize=int, parse_value=str),
    }
)


@strawberry.type
class Product:
    id: UUID = UUID(int=1)
    name: str = "Tea"
    stock: int = 7
    is_available: bool = True
    available_from: date = date(2026, 1, 2)
    same_day_shipping_before: time = time(12, 30)
    created_at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    price: Decimal = Decimal("1.50")
    weight: float = 1.5
    void: None = None
    sku: strawberry.ID = strawberry.ID("sku")
    more: JSON = strawberry.field(default_factory=lambda: {"a": [1, None]})


PRODUCT = {
    "id": "00000000-0000-0000-0000-000000000001",
    "name": "Tea",
    "stock": 7,
    "isAvailable": True,
    "availableFrom": "2026-01-02",
    "sameDayShippingBefore": "12:30:00",
    "createdAt": "2026-01-02T03:04:05+00:00",
    "price": "1.50",
    "weight": 1.5,
    "void": None,
    "sku": "sku",
    "more": {"a": [1, None]},
}


@strawberry.type
class Query:
    @strawberry.field
    def product(self) -> Product:
        return Product()

    @strawberry.field
    def one_week_from(self, date_input: date) -> date:
        return date_input + timedelta(weeks=1)

    @strawberry.field
    def given(
        self, id: UUID, at: datetime, on: date, before: time, price: Decimal, weight: float, more: JSON
    ) -> list[str]:
        return [repr(each) for each in (id, at, on, before, price, weight, more)]

    @strawberry.field
    def bases(self, hexadecimal: Base16, b32: Base32, b64: Base64) -> list[str]:
        return [repr(each) for each in (hexadecimal, b32, b64)]

    @strawberry.field
    def hexadecimal(self) -> Base16:
        return Base16(b"hi")

    @strawberry.field
    def encoded(self, value: Encoded = Encoded(b"hi")) -> Encoded:
        return Encoded(value + b"!")

    @strawberry.field
    def double(self, price: Currency) -> Currency:
        return Currency(price * 2)

    @strawberry.field
    def large_number(self) -> BigInt:
        return BigInt(BIG)

    @strawberry.field
    def too_large(self) -> int | None:
        return BIG

    @strawberry.field
    def no_number(self) -> list[int | None]:
        return [1, "two", 3]  # type: ignore[list-item]


async def test_builtin_scalars_are_serialized(schema: Make) -> None:
    await schema(Query, config=SCALARS).gives(
        f"{{ product {{ {' '.join(PRODUCT)} }} }}", {"product": PRODUCT}, Outcome.COMPILED
    )


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{ oneWeekFrom(dateInput: "2026-12-31") }', {"oneWeekFrom": "2027-01-07"}),
        (
            """{ given(
                id: "00000000-0000-0000-0000-000000000001", at: "2026-01-02T03:04:05+00:00", on: "2026-01-02"
                before: "12:30", price: "1.50", weight: 2, more: {a: [1, null]}
            ) }""",
            {
                "given": [
                    "UUID('00000000-0000-0000-0000-000000000001')",
                    "datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=tzutc())",
                    "datetime.date(2026, 1, 2)",
                    "datetime.time(12, 30)",
                    "Decimal('1.50')",
                    "2.0",
                    "{'a': [1, None]}",
                ]
            },
        ),
        (
            '{ bases(hexadecimal: "6869", b32: "NBUQ====", b64: "aGk=") hexadecimal }',
            {"bases": ["b'hi'", "b'hi'", "b'hi'"], "hexadecimal": "6869"},
        ),
    ],
)
async def test_scalars_are_inputs(schema: Make, text: str, data: Any) -> None:
    await schema(Query, config=SCALARS).gives(text, data, Outcome.COMPILED)


@pytest.mark.parametrize(
    ("text", "variables", "data"),
    [
        ("{ encoded }", {}, {"encoded": "aGkh"}),
        ('{ encoded(value: "aG8=") }', {}, {"encoded": "aG8h"}),
        ("query ($v: Encoded!) { encoded(value: $v) }", {"v": "aG8="}, {"encoded": "aG8h"}),
        ('{ double(price: "9.995") }', {}, {"double": "20.00"}),
        ("{ largeNumber }", {}, {"largeNumber": BIG}),
    ],
)
async def test_custom_scalars_are_serialized_and_parsed(
    schema: Make, text: str, variables: dict[str, Any], data: Any
) -> None:
    await schema(Query, config=SCALARS).gives(text, data, Outcome.COMPILED, variable_values=variables)


async def test_a_value_that_cannot_be_parsed_is_refused(schema: Make) -> None:
    message = """Value cannot represent a Date: "tomorrow". Invalid isoformat string: 'tomorrow'"""

    await schema(Query, config=SCALARS).gives(
        '{ oneWeekFrom(dateInput: "tomorrow") }', None, None, errors=[{"message": message}]
    )


async def test_numbers_beyond_32_bits_are_errors(schema: Make) -> None:
    message = f"Int cannot represent non 32-bit signed integer value: {BIG}"

    await schema(Query, config=SCALARS).gives(
        "{ tooLarge }", {"tooLarge": None}, Outcome.RECOVERED, errors=[said(message, "tooLarge", at=(1, 3))]
    )


async def test_a_value_of_another_type_is_an_error(schema: Make) -> None:
    error = said("Int cannot represent non-integer value: 'two'", "noNumber", 1, at=(1, 3))

    await schema(Query, config=SCALARS).gives(
        "{ noNumber }", {"noNumber": [1, None, 3]}, Outcome.RECOVERED, errors=[error]
    )


REPLACED = StrawberryConfig(
    scalar_map={
        datetime: strawberry.scalar(
            name="DateTime",
            serialize=lambda value: int(value.timestamp()),
            parse_value=lambda value: datetime.fromtimestamp(int(value), UTC),
        ),
        int: strawberry.scalar(name="BigInt", serialize=int, parse_value=int),
    }
)


@strawberry.type
class Times:
    @strawberry.field
    def later(self, at: datetime, seconds: int) -> datetime:
        return at + timedelta(seconds=seconds)

    @strawberry.field
    def large(self) -> int:
        return BIG


async def test_builtin_scalars_are_replaced(schema: Make) -> None:
    data = {"later": 1628683260, "large": BIG}

    await schema(Times, config=REPLACED).gives("{ later(at: 1628683200, seconds: 60) large }", data, Outcome.COMPILED)
