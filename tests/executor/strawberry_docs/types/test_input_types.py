"""Input types become instances of their class. Those with `one_of` take exactly one field."""

import strawberry

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.input
class Point:
    x: float
    y: float = strawberry.field(description="The height.")
    z: float | None = strawberry.field(default=None, deprecation_reason="There are two dimensions.")
    label: str | None = None


@strawberry.input(name="Shape")
class Polygon:
    corners: list[Point]
    center: Point | None = None


@strawberry.input(one_of=True)
class SearchBy:
    name: strawberry.Maybe[str]
    email: strawberry.Maybe[str]


@strawberry.type
class Query:
    @strawberry.field
    def point(self, at: Point) -> str:
        return repr(at)

    @strawberry.field
    def corners(self, polygon: Polygon) -> list[str]:
        return [type(each).__name__ for each in [*polygon.corners, polygon.center]]

    @strawberry.field
    def search(self, by: SearchBy) -> str:
        return f"{by.name} {by.email}"


async def test_a_resolver_gets_an_instance_with_defaults(schema: Make) -> None:
    data = {"point": "Point(x=1.0, y=2.5, z=None, label=None)"}

    await schema(Query).gives("{ point(at: {x: 1, y: 2.5}) }", data, Outcome.COMPILED)


async def test_deprecated_fields_can_be_used(schema: Make) -> None:
    data = {"point": "Point(x=1.0, y=2.0, z=3.0, label='here')"}

    await schema(Query).gives(
        "query ($at: Point!) { point(at: $at) }",
        data,
        Outcome.COMPILED,
        variable_values={"at": {"x": 1, "y": 2, "z": 3, "label": "here"}},
    )


async def test_input_types_are_nested(schema: Make) -> None:
    text = "query ($shape: Shape!) { corners(polygon: $shape) }"
    shape = {"corners": [{"x": 0, "y": 0}, {"x": 1, "y": 1}], "center": {"x": 0.5, "y": 0.5}}

    await schema(Query).gives(
        text, {"corners": ["Point", "Point", "Point"]}, Outcome.COMPILED, variable_values={"shape": shape}
    )


async def test_a_required_field_must_be_given(schema: Make) -> None:
    error = said("Expected value of type 'Point' to include required field 'y', found: { x: 1 }.", at=(1, 13))

    await schema(Query).gives("{ point(at: {x: 1}) }", None, None, errors=[error])


async def test_one_of_several_fields_is_taken(schema: Make) -> None:
    data = {"search": "None Some('a@b.c')"}

    await schema(Query).gives('{ search(by: {email: "a@b.c"}) }', data, Outcome.COMPILED)
    await schema(Query).gives(
        "query ($by: SearchBy!) { search(by: $by) }",
        data,
        Outcome.COMPILED,
        variable_values={"by": {"email": "a@b.c"}},
    )


async def test_two_of_several_fields_are_refused(schema: Make) -> None:
    message = "OneOf Input Object 'SearchBy' must specify exactly one key."

    await schema(Query).gives(
        '{ search(by: {name: "Ada", email: "a@b.c"}) }', None, None, errors=[said(message, at=(1, 14))]
    )


async def test_two_of_several_fields_in_a_variable_are_refused(schema: Make) -> None:
    result = await schema(Query).result(
        "query ($by: SearchBy!) { search(by: $by) }", variable_values={"by": {"name": "Ada", "email": "a@b.c"}}
    )

    assert result.data is None
    assert [error.path for error in result.errors] == [None]
