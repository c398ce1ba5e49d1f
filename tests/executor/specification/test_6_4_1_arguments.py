"""Section 6.4.1: coercing field arguments."""

import pytest

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row

STORE = {"a": Row(string="of a"), "b": Row(string="of b")}


@pytest.mark.parametrize(
    ("given", "got"),
    [
        ("", {"default": 7}),
        ("(default: 8)", {"default": 8}),
        ("(default: null)", {"default": None}),
        ("(int: null)", {"int": None, "default": 7}),
        ("(float: 1)", {"float": 1.0, "default": 7}),
        ('(string: "a\\u00e9")', {"string": "aé", "default": 7}),
        ('(string: """\n  block\n    text\n""")', {"string": "block\n  text", "default": 7}),
        ("(mood: HAPPY)", {"mood": "<Mood.HAPPY: 'happy'>", "default": 7}),
        ("(ints: [1, 2])", {"ints": [1, 2], "default": 7}),
        ("(ints: 1)", {"ints": [1], "default": 7}),
        ("(ints: [])", {"ints": [], "default": 7}),
        ("(ints: null)", {"ints": None, "default": 7}),
        ("(point: {x: 1})", {"point": {"x": 1, "y": 2}, "default": 7}),
        ("(point: {y: 3, x: 1})", {"point": {"x": 1, "y": 3}, "default": 7}),
        ("(points: {x: 1})", {"points": [{"x": 1, "y": 2}], "default": 7}),
        ("(even: 4)", {"even": 4, "default": 7}),
    ],
)
async def test_literals_are_coerced_by_the_type_of_their_argument(given: str, got: dict[str, object]) -> None:
    await holds(f"{{ arguments{given} }}", {"arguments": got}, Outcome.COMPILED)


async def test_a_null_variable_is_not_the_arguments_default() -> None:
    text = "query ($value: Int) { arguments(default: $value) }"

    await holds(text, {"arguments": {"default": None}}, Outcome.COMPILED, variables={"value": None})


async def test_a_null_for_a_non_null_argument_is_a_field_error() -> None:
    text = "query ($value: Int = 3) { int needs(value: $value) }"
    said_of_null = "Expected variable '$value' provided to non-null type 'Int!' not to be None."
    error = said(f"Argument 'value' has invalid value: {said_of_null}", "needs", at=(1, 44))

    await holds(text, {"int": None, "needs": 3}, Outcome.COMPILED)
    await holds(text, {"int": None, "needs": None}, Outcome.RECOVERED, errors=[error], variables={"value": None})


async def test_arguments_of_a_relation_are_coerced() -> None:
    text = "query ($times: Int!) { multiple(times: $times) other: multiple multiple3: multiple(times: 3) }"

    await holds(
        text,
        {"multiple": 20, "other": 10, "multiple3": 15},
        Outcome.COMPILED,
        root=Row(int=5),
        variables={"times": 4},
    )


async def test_relations_of_one_batch_have_their_own_defaults() -> None:
    await holds("{ multiple tenfold }", {"multiple": 6, "tenfold": 30}, Outcome.COMPILED, root=Row(int=3))


async def test_relations_with_equal_arguments_share_a_call() -> None:
    text = "{ one: multiple(times: 3) two: multiple(times: 3) thing { multiple(times: 3) } }"
    data = {"one": 6, "two": 6, "thing": {"multiple": 12}}

    context = await holds(text, data, Outcome.COMPILED, root=Row(int=2, thing=Row(int=4)))

    assert context.asked == [("multiples", [2, 4])]


@pytest.mark.parametrize("value", [1, True, 1.0, "1", [1], {"a": 1}, 0, False, 0.0, -0.0], ids=repr)
async def test_values_equal_in_python_are_kept_apart(value: object) -> None:
    text = "query ($value: JSON!) { repr(value: $value) }"

    for each in (1, 0, value):
        await holds(text, {"repr": repr(each)}, Outcome.COMPILED, root=Row(int=1), variables={"value": each})


async def test_an_argument_may_be_the_key() -> None:
    text = 'query ($id: ID!) { a: find(id: "a") { string } b: find(id: $id) { string } c: find(id: "c") { string } }'
    data = {"a": {"string": "of a"}, "b": {"string": "of b"}, "c": None}

    await holds(text, data, Outcome.COMPILED, store=STORE, variables={"id": "b"})


async def test_a_refused_argument_is_a_field_error() -> None:
    text = '{ a: find(id: "a") { string } b: find(id: "refused") { string } }'
    error = said("this id is refused", "b", at=(1, 31))

    await holds(text, {"a": {"string": "of a"}, "b": None}, Outcome.RECOVERED, errors=[error], store=STORE)


async def test_a_resolver_gets_the_arguments_of_its_own_alias() -> None:
    await holds("{ a: needs(value: 1) b: needs(value: 2) }", {"a": 1, "b": 2}, Outcome.COMPILED)
