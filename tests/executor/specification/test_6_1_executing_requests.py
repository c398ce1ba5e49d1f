"""Section 6.1: choosing the operation and coercing variables."""

import pytest

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row

TWO = "query A { int } query B { string }"
OPTIONAL = "query ($int: Int) { arguments(int: $int) }"


async def test_the_only_operation_is_executed() -> None:
    await holds("{ int }", {"int": 1}, Outcome.COMPILED, root=Row(int=1))


@pytest.mark.parametrize(("name", "data"), [("A", {"int": 1}), ("B", {"string": "b"})])
async def test_of_several_operations_the_named_one_is_executed(name: str, data: dict[str, object]) -> None:
    await holds(TWO, data, Outcome.COMPILED, root=Row(int=1, string="b"), name=name)


async def test_root_fields_are_read_from_the_root_value() -> None:
    await holds("{ string }", {"string": "the root's"}, Outcome.COMPILED, root=Row(string="the root's"))


async def test_a_variable_that_is_given_has_its_value() -> None:
    await holds(OPTIONAL, {"arguments": {"int": 3, "default": 7}}, Outcome.COMPILED, variables={"int": 3})


async def test_a_variable_that_is_not_given_has_its_default() -> None:
    text = "query ($int: Int = 5) { arguments(int: $int) }"

    await holds(text, {"arguments": {"int": 5, "default": 7}}, Outcome.COMPILED)


async def test_a_variable_that_is_null_does_not_have_its_default() -> None:
    text = "query ($int: Int = 5) { arguments(int: $int) }"

    await holds(text, {"arguments": {"int": None, "default": 7}}, Outcome.COMPILED, variables={"int": None})


async def test_a_variable_without_value_and_default_has_no_entry() -> None:
    await holds(OPTIONAL, {"arguments": {"default": 7}}, Outcome.COMPILED)


async def test_an_argument_gets_its_default_without_a_variable_value() -> None:
    text = "query ($int: Int) { arguments(default: $int) }"

    await holds(text, {"arguments": {"default": 7}}, Outcome.COMPILED)


async def test_an_undeclared_variable_is_ignored() -> None:
    await holds("{ int }", {"int": None}, Outcome.COMPILED, variables={"other": 1})


async def test_a_missing_required_variable_is_a_request_error() -> None:
    text = "query ($value: Int!) { needs(value: $value) }"
    message = "Variable '$value' has invalid value: Expected a value of non-null type 'Int!' to be provided."

    await holds(text, None, Outcome.REFERENCE, errors=[said(message, at=(1, 8))])


async def test_a_null_non_null_variable_is_a_request_error() -> None:
    text = "query ($value: Int!) { needs(value: $value) }"
    message = "Variable '$value' has invalid value: Expected value of non-null type 'Int!' not to be None."

    await holds(text, None, Outcome.REFERENCE, errors=[said(message, at=(1, 8))], variables={"value": None})


async def test_every_variable_that_can_not_be_coerced_is_reported() -> None:
    text = "query ($int: Int, $mood: Mood) { arguments(int: $int, mood: $mood) }"
    errors = [
        said("Variable '$int' has invalid value: Int cannot represent non-integer value: 'x'", at=(1, 8)),
        said("Variable '$mood' has invalid value: Value 'ANGRY' does not exist in 'Mood' enum.", at=(1, 19)),
    ]

    await holds(text, None, Outcome.REFERENCE, errors=errors, variables={"int": "x", "mood": "ANGRY"})


@pytest.mark.parametrize(
    ("type_", "argument", "value", "coerced"),
    [
        ("Int", "int", 3.0, 3),
        ("Float", "float", 3, 3.0),
        ("Float", "float", 0.5, 0.5),
        ("String", "string", "é", "é"),
        ("Mood", "mood", "SAD", "<Mood.SAD: 'sad'>"),
        ("Even", "even", 4, 4),
        ("[Int]", "ints", [1, None, 3], [1, None, 3]),
        ("[Int]", "ints", 1, [1]),
        ("[Int]", "ints", None, None),
        ("[Int]", "ints", [], []),
        ("Point", "point", {"x": 1}, {"x": 1, "y": 2}),
        ("Point", "point", {"x": 1, "y": 3, "label": None}, {"x": 1, "y": 3, "label": None}),
        ("Point", "point", {"x": 1, "inner": {"x": 2}}, {"x": 1, "y": 2, "inner": {"x": 2, "y": 2}}),
        ("[Point!]", "points", {"x": 1}, [{"x": 1, "y": 2}]),
        ("[Point!]", "points", [{"x": 1}, {"x": 2}], [{"x": 1, "y": 2}, {"x": 2, "y": 2}]),
    ],
)
async def test_variables_are_coerced_by_their_type(type_: str, argument: str, value: object, coerced: object) -> None:
    text = f"query ($value: {type_}) {{ arguments({argument}: $value) }}"
    expected = {"arguments": {argument: coerced, "default": 7}}

    await holds(text, expected, Outcome.COMPILED, variables={"value": value})


@pytest.mark.parametrize(
    ("type_", "argument", "value", "message"),
    [
        ("Int", "int", 2**31, "Int cannot represent non 32-bit signed integer value: 2147483648"),
        ("Int", "int", 0.5, "Int cannot represent non-integer value: 0.5"),
        ("Int", "int", True, "Int cannot represent non-integer value: True"),
        ("String", "string", 1, "String cannot represent a non string value: 1"),
        ("Float", "float", "1", "Float cannot represent non numeric value: '1'"),
        ("Mood", "mood", 1, "Enum 'Mood' cannot represent non-string value: 1."),
        ("Even", "even", 3, "Expected value of type 'Even', but encountered error '3 is odd'; found: 3."),
    ],
)
async def test_a_value_that_can_not_be_coerced_is_a_request_error(
    type_: str, argument: str, value: object, message: str
) -> None:
    text = f"query ($value: {type_}) {{ arguments({argument}: $value) }}"
    error = said(f"Variable '$value' has invalid value: {message}", at=(1, 8))

    await holds(text, None, Outcome.REFERENCE, errors=[error], variables={"value": value})


@pytest.mark.parametrize(
    ("type_", "argument", "value", "where", "message"),
    [
        ("[Int]", "ints", [1, "x"], "[1]", "Int cannot represent non-integer value: 'x'"),
        ("Point", "point", {"x": "a"}, ".x", "Int cannot represent non-integer value: 'a'"),
        ("[Point!]", "points", [{"x": 1}, None], "[1]", "Expected value of non-null type 'Point!' not to be None."),
    ],
)
async def test_the_error_has_the_path_in_the_value(
    type_: str, argument: str, value: object, where: str, message: str
) -> None:
    text = f"query ($value: {type_}) {{ arguments({argument}: $value) }}"
    error = said(f"Variable '$value' has invalid value at {where}: {message}", at=(1, 8))

    await holds(text, None, Outcome.REFERENCE, errors=[error], variables={"value": value})


async def test_an_unknown_input_field_is_a_request_error() -> None:
    text = "query ($point: Point) { arguments(point: $point) }"
    message = (
        "Variable '$point' has invalid value: Expected value of type 'Point' not to include unknown field 'z'."
        " Did you mean 'x' or 'y'? Found: {'x': 1, 'z': 1}."
    )

    await holds(text, None, Outcome.REFERENCE, errors=[said(message, at=(1, 8))], variables={"point": {"x": 1, "z": 1}})


async def test_a_missing_input_field_is_a_request_error() -> None:
    text = "query ($point: Point) { arguments(point: $point) }"
    message = (
        "Variable '$point' has invalid value: Expected value of type 'Point' to include required field 'x', found: {}."
    )

    await holds(text, None, Outcome.REFERENCE, errors=[said(message, at=(1, 8))], variables={"point": {}})


async def test_an_input_field_gets_its_default_without_a_value() -> None:
    text = "query ($y: Int) { arguments(point: {x: 1, y: $y}) }"

    await holds(text, {"arguments": {"point": {"x": 1, "y": 2}, "default": 7}}, Outcome.COMPILED)


async def test_a_missing_variable_in_a_list_is_null() -> None:
    text = "query ($one: Int) { arguments(ints: [$one, 2]) }"

    await holds(text, {"arguments": {"ints": [None, 2], "default": 7}}, Outcome.COMPILED)


async def test_at_most_50_variable_errors_are_reported() -> None:
    text = "query ($ints: [Int]) { arguments(ints: $ints) }"
    wrong = "Variable '$ints' has invalid value at [{}]: Int cannot represent non-integer value: 'x'"
    errors = [said(wrong.format(index), at=(1, 8)) for index in range(50)]
    last = {"message": "Too many errors processing variables, error limit reached. Execution aborted."}

    await holds(text, None, Outcome.REFERENCE, errors=[*errors, last], variables={"ints": ["x"] * 60})
