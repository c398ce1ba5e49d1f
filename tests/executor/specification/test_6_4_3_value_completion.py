"""Section 6.4.3: value completion."""

from asyncio import Future, get_running_loop
from collections import OrderedDict, UserDict, UserList, deque
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row
from tests.executor.specification.world import Mood, Size

DOG = Row(kind="Dog", name="Rex", barks=True)
CAT = Row(kind="Cat", name="Tom", lives=9)


class Word(str):
    __slots__ = ()


class Problem(ValueError):
    """An exception with the attributes of an object."""

    string = "of the problem"
    kind = "Strict"


def type_name(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("int", 1, 1),
        ("int", -(2**31), -(2**31)),
        ("int", 3.0, 3),
        ("int", "4", 4),
        ("int", True, 1),
        ("int", Decimal(5), 5),
        ("float", 1, 1.0),
        ("float", 0.5, 0.5),
        ("float", "0.5", 0.5),
        ("float", True, 1),
        ("string", "a", "a"),
        ("string", "", ""),
        ("string", Word("w"), "w"),
        ("string", 1, "1"),
        ("string", 1.5, "1.5"),
        ("string", True, "true"),
        ("boolean", True, True),
        ("boolean", 0, False),
        ("boolean", 1.0, True),
        ("id", "i", "i"),
        ("id", 7, "7"),
        ("mood", Mood.SAD, "SAD"),
        ("size", Size.LARGE, "LARGE"),
        ("even", 4, 4),
        ("text", 4, "4"),
        ("json", {"a": [1, None, True]}, {"a": [1, None, True]}),
    ],
    ids=repr,
)
async def test_leaves_are_coerced_to_their_type(field: str, value: object, shown: object) -> None:
    await holds(f"{{ {field} }}", {field: shown}, Outcome.COMPILED, root=Row(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("int", 0.5, "Int cannot represent non-integer value: 0.5"),
        ("int", 2**31, "Int cannot represent non 32-bit signed integer value: 2147483648"),
        ("int", "x", "Int cannot represent non-integer value: 'x'"),
        ("int", "", "Int cannot represent non-integer value: ''"),
        ("int", [1], "Int cannot represent non-integer value: [1]"),
        ("float", "x", "Float cannot represent non numeric value: 'x'"),
        ("float", float("inf"), "Float cannot represent non numeric value: inf"),
        ("float", float("nan"), "Float cannot represent non numeric value: nan"),
        ("string", [1], "String cannot represent value: [1]"),
        ("string", {"a": 1}, "String cannot represent value: {'a': 1}"),
        ("boolean", "true", "Boolean cannot represent a non boolean value: 'true'"),
        ("id", [1], "ID cannot represent value: [1]"),
        ("mood", "angry", "Enum 'Mood' cannot represent value: 'angry'"),
        ("mood", Size.LARGE, "Enum 'Mood' cannot represent value: <Size instance>"),
        ("even", 3, "3 is odd"),
        ("even", 0, "Expected `Even.coerce_output_value(0)` to return non-nullable value, returned: None"),
    ],
    ids=repr,
)
async def test_an_invalid_leaf_is_null_and_an_error(field: str, value: object, message: str) -> None:
    error = said(message, field, at=(1, 3))

    await holds(f"{{ {field} }}", {field: None}, Outcome.RECOVERED, errors=[error], root=Row(**{field: value}))


@pytest.mark.parametrize("field", ["int", "float", "string", "boolean", "id", "mood", "even", "json", "ints", "thing"])
async def test_null_is_returned_for_nullable_types(field: str) -> None:
    selection = f"{field} {{ int }}" if field == "thing" else field

    await holds(f"{{ {selection} }}", {field: None}, Outcome.COMPILED)


@pytest.mark.parametrize("field", ["int", "string", "mood", "even", "text", "json", "ints", "thing", "animal"])
async def test_an_exception_as_a_value_is_raised(field: str) -> None:
    selection = f"{field} {{ __typename }}" if field in {"thing", "animal"} else field
    error = said("given", field, at=(1, 3))
    root = Row(**{field: ValueError("given")})

    await holds(f"{{ {selection} }}", {field: None}, Outcome.RECOVERED, errors=[error], root=root)


@pytest.mark.parametrize("selection", ["thing { string }", "strict { string }"])
async def test_an_exception_with_the_attributes_is_raised(selection: str) -> None:
    field = selection.split(maxsplit=1)[0]
    error = said("with attributes", field, at=(1, 3))
    root = Row(**{field: Problem("with attributes")})

    await holds(f"{{ {selection} }}", {field: None}, Outcome.RECOVERED, errors=[error], root=root)


@pytest.mark.parametrize("field", ["int", "string", "text", "json", "mood"])
async def test_an_awaitable_is_awaited(field: str) -> None:
    def future() -> Future[Any]:
        made = get_running_loop().create_future()
        made.set_result(Mood.SAD if field == "mood" else 1)
        return made

    shown = {"mood": "SAD", "string": "1", "text": "1"}.get(field, 1)

    await holds(f"{{ {field} }}", {field: shown}, Outcome.REPLAYED, root=Row(**{field: future()}))


async def test_an_awaitable_of_an_object_is_awaited() -> None:
    done = get_running_loop().create_future()
    done.set_result(None)

    await holds("{ thing { __typename } }", {"thing": None}, Outcome.REPLAYED, root=Row(thing=done))


@pytest.mark.parametrize(
    "value", [[1, 2], (1, 2), {1: "a", 2: "b"}.keys(), deque([1, 2]), UserList([1, 2]), range(1, 3)], ids=type_name
)
async def test_a_list_may_be_any_collection(value: object) -> None:
    await holds("{ ints }", {"ints": [1, 2]}, Outcome.COMPILED, root=Row(ints=value))


async def test_a_list_may_be_a_generator() -> None:
    await holds("{ words }", {"words": ["one", "two"]}, Outcome.REPLAYED)


@pytest.mark.parametrize(
    "value",
    [
        "12",
        b"12",
        bytearray(b"12"),
        memoryview(b"12"),
        {1: 2},
        OrderedDict({1: 2}),
        UserDict({1: 2}),
        MappingProxyType({1: 2}),
        12,
    ],
    ids=type_name,
)
async def test_a_value_that_is_no_list_is_an_error(value: object) -> None:
    error = said("Expected Iterable, but did not find one for field 'Query.ints'.", "ints", at=(1, 3))

    await holds("{ ints }", {"ints": None}, Outcome.REPLAYED, errors=[error], root=Row(ints=value))


@pytest.mark.parametrize("field", ["matrix", "matrixItems"])
async def test_lists_of_lists_are_completed_item_by_item(field: str) -> None:
    python_name = {"matrix": "matrix", "matrixItems": "matrix_items"}[field]
    root = Row(**{python_name: [[1, "2"], [], (3,)]})

    await holds(f"{{ {field} }}", {field: [[1, 2], [], [3]]}, Outcome.COMPILED, root=root)


async def test_nulls_in_lists_of_nullable_items() -> None:
    root = Row(ints=[1, None], matrix=[[None], None], things=[None, Row(int=1)])
    data = {"ints": [1, None], "matrix": [[None], None], "things": [None, {"int": 1}]}

    await holds("{ ints matrix things { int } }", data, Outcome.COMPILED, root=root)


async def test_nested_lists_load_relations_together() -> None:
    store = {"a": Row(int=1), "b": Row(int=2)}
    root = Row(thing_lists=[[Row(child_id="a"), None], None, [Row(child_id="b"), Row(child_id="a")]])
    one, two = {"child": {"int": 1}}, {"child": {"int": 2}}

    context = await holds(
        "{ thingLists { child { int } } }",
        {"thingLists": [[one, None], None, [two, one]]},
        Outcome.COMPILED,
        root=root,
        store=store,
    )

    assert context.asked == [("by_keys", ["a", "b"])]


async def test_a_relation_may_return_lists_of_lists() -> None:
    store = {"all": [[Row(int=1)], [], [Row(int=2), Row(int=3)]]}
    data = {"childLists": [[{"int": 1}], [], [{"int": 2}, {"int": 3}]]}

    await holds("{ childLists { int } }", data, Outcome.COMPILED, root=Row(children_id="all"), store=store)


async def test_a_relation_may_return_a_leaf() -> None:
    await holds("{ childText }", {"childText": "7"}, Outcome.COMPILED, root=Row(text_id="t"), store={"t": 7})


async def test_the_type_of_an_abstract_value_is_found() -> None:
    text = "{ animal { __typename name } pet { __typename ... on Cat { lives } } }"
    data = {"animal": {"__typename": "Dog", "name": "Rex"}, "pet": {"__typename": "Cat", "lives": 9}}

    await holds(text, data, Outcome.COMPILED, root=Row(animal=DOG, pet=CAT))


async def test_each_item_of_an_abstract_list_has_its_own_type() -> None:
    data = {"animals": [{"__typename": "Dog"}, None, {"__typename": "Cat"}], "pets": [{"lives": 9}, {}]}

    await holds(
        "{ animals { __typename } pets { ... on Cat { lives } } }",
        data,
        Outcome.COMPILED,
        root=Row(animals=[DOG, None, CAT], pets=[CAT, DOG]),
    )


async def test_an_abstract_value_of_no_type_is_an_error() -> None:
    message = (
        "Abstract type 'Animal' must resolve to an Object type at runtime for field 'Query.animal'. Either the 'Animal'"
        " type should provide a 'resolve_type' function or each possible type should provide an 'is_type_of' function."
    )

    await holds(
        "{ animal { name } }",
        {"animal": None},
        Outcome.REPLAYED,
        errors=[said(message, "animal", at=(1, 3))],
        root=Row(animal=Row(kind="Bird")),
    )


async def test_is_type_of_is_called() -> None:
    await holds(
        "{ strict { string } }",
        {"strict": {"string": "s"}},
        Outcome.COMPILED,
        root=Row(strict=Row(kind="Strict", string="s")),
    )


@pytest.mark.parametrize("selection", ["string", "__typename"])
async def test_an_object_of_another_type_is_an_error(selection: str) -> None:
    error = said("Expected value of type 'Strict' but got: <Row instance>.", "strict", at=(1, 3))

    await holds(
        f"{{ strict {{ {selection} }} }}",
        {"strict": None},
        Outcome.REPLAYED,
        errors=[error],
        root=Row(strict=Row(kind="other", string="s")),
    )


async def test_typename_may_have_an_alias() -> None:
    text = "{ __typename it: __typename thing { __typename } child { kind: __typename } }"
    data = {"__typename": "Query", "it": "Query", "thing": {"__typename": "Thing"}, "child": {"kind": "Thing"}}

    await holds(text, data, Outcome.COMPILED, root=Row(thing=Row(), child_id="a"), store={"a": Row()})
