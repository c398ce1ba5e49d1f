"""Section 6.4.4: field errors and the propagation of nulls."""

import pytest

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row

NULL = "Cannot return null for non-nullable field {}."


async def test_a_failing_resolver_makes_its_field_null() -> None:
    error = said("it fails", "fails", at=(1, 7))

    await holds("{ int fails }", {"int": 1, "fails": None}, Outcome.RECOVERED, errors=[error], root=Row(int=1))


async def test_several_errors_are_reported_in_their_order() -> None:
    errors = [said("it fails", "a", at=(1, 3)), said("it fails", "thing", "b", at=(1, 20))]
    data = {"a": None, "thing": {"b": None}}

    await holds("{ a: fails thing { b: fails } }", data, Outcome.RECOVERED, errors=errors, root=Row(thing=Row()))


async def test_a_non_null_violation_makes_the_parent_null() -> None:
    error = said(NULL.format("Thing.must"), "thing", "must", at=(1, 15))

    await holds(
        "{ thing { int must } int }",
        {"thing": None, "int": 1},
        Outcome.RECOVERED,
        errors=[error],
        root=Row(int=1, thing=Row()),
    )


async def test_an_error_in_a_non_null_field_makes_the_parent_null() -> None:
    error = said("it must not fail", "thing", "failsMust", at=(1, 11))

    await holds("{ thing { failsMust } }", {"thing": None}, Outcome.RECOVERED, errors=[error], root=Row(thing=Row()))


async def test_a_null_propagates_to_the_next_nullable_field() -> None:
    text = "{ thing { thingMust { thingMust { must } } } int }"
    error = said(NULL.format("Thing.must"), "thing", "thingMust", "thingMust", "must", at=(1, 35))
    root = Row(int=1, thing=Row(thing_must=Row(thing_must=Row())))

    await holds(text, {"thing": None, "int": 1}, Outcome.RECOVERED, errors=[error], root=root)


async def test_a_null_may_propagate_to_data() -> None:
    text = "{ int thingMust { thingMust { must } } }"
    error = said(NULL.format("Thing.must"), "thingMust", "thingMust", "must", at=(1, 31))
    root = Row(int=1, thing_must=Row(thing_must=Row()))

    await holds(text, None, Outcome.RECOVERED, errors=[error], root=root)


async def test_an_error_in_a_non_null_root_field_makes_data_null() -> None:
    await holds("{ must }", None, Outcome.RECOVERED, errors=[said(NULL.format("Query.must"), "must", at=(1, 3))])


async def test_a_null_in_a_list_of_non_null_makes_the_list_null() -> None:
    error = said(NULL.format("Query.intsItems"), "intsItems", 1, at=(1, 3))

    await holds("{ intsItems }", {"intsItems": None}, Outcome.RECOVERED, errors=[error], root=Row(ints_items=[1, None]))


@pytest.mark.parametrize(
    ("field", "python_name", "value", "data", "path"),
    [
        ("ints", "ints", [1, "x", 3], {"ints": [1, None, 3]}, ("ints", 1)),
        ("intsItems", "ints_items", [1, "x", 3], {"intsItems": None}, ("intsItems", 1)),
        ("intsList", "ints_list", [1, "x", 3], {"intsList": [1, None, 3]}, ("intsList", 1)),
        ("intsBoth", "ints_both", [1, "x", 3], None, ("intsBoth", 1)),
        ("matrix", "matrix", [[1], [2, "x"]], {"matrix": [[1], [2, None]]}, ("matrix", 1, 1)),
        ("matrixItems", "matrix_items", [[1], [2, "x"]], {"matrixItems": None}, ("matrixItems", 1, 1)),
    ],
)
async def test_an_item_error_propagates_by_the_list_type(
    field: str, python_name: str, value: object, data: dict[str, object] | None, path: tuple[str | int, ...]
) -> None:
    error = said("Int cannot represent non-integer value: 'x'", *path, at=(1, 3))

    await holds(f"{{ {field} }}", data, Outcome.RECOVERED, errors=[error], root=Row(**{python_name: value}))


@pytest.mark.parametrize(
    ("field", "python_name", "data"),
    [("intsList", "ints_list", None), ("intsBoth", "ints_both", None), ("ints", "ints", {"ints": None})],
)
async def test_a_null_non_null_list_makes_the_parent_null(
    field: str, python_name: str, data: dict[str, object] | None
) -> None:
    errors = [] if data else [said(NULL.format(f"Query.{field}"), field, at=(1, 3))]
    outcome = Outcome.COMPILED if data else Outcome.RECOVERED

    await holds(f"{{ {field} }}", data, outcome, errors=errors, root=Row(**{python_name: None}))


async def test_a_nullable_item_is_null_by_itself() -> None:
    text = "{ things { must } }"
    error = said(NULL.format("Thing.must"), "things", 1, "must", at=(1, 12))
    root = Row(things=[Row(must="a"), Row(), Row(must="c")])

    await holds(text, {"things": [{"must": "a"}, None, {"must": "c"}]}, Outcome.RECOVERED, errors=[error], root=root)


async def test_a_non_null_item_makes_the_list_null() -> None:
    error = said(NULL.format("Thing.must"), "thingsItems", 1, "must", at=(1, 17))
    root = Row(things_items=[Row(must="a"), Row()])

    await holds("{ thingsItems { must } }", {"thingsItems": None}, Outcome.RECOVERED, errors=[error], root=root)


async def test_a_failing_relation_makes_its_field_null() -> None:
    error = said("the batch fails", "broken", at=(1, 7))

    await holds(
        "{ int broken { int } }",
        {"int": 1, "broken": None},
        Outcome.RECOVERED,
        errors=[error],
        root=Row(int=1, child_id="a"),
    )


async def test_a_failing_relation_is_an_error_of_each_parent() -> None:
    errors = [said("the batch fails", "things", index, "broken", at=(1, 12)) for index in (0, 2)]
    root = Row(things=[Row(child_id="a"), Row(), Row(child_id="b")])
    data = {"things": [{"broken": None}, {"broken": None}, {"broken": None}]}

    await holds("{ things { broken { int } } }", data, Outcome.RECOVERED, errors=errors, root=root)


async def test_a_failing_non_null_relation_makes_the_parent_null() -> None:
    error = said("the batch fails", "thing", "brokenMust", at=(1, 11))
    root = Row(thing=Row(child_id="a"))

    await holds("{ thing { brokenMust { int } } }", {"thing": None}, Outcome.RECOVERED, errors=[error], root=root)


async def test_a_missing_non_null_result_makes_the_parent_null() -> None:
    error = said(NULL.format("Thing.childMust"), "thing", "childMust", at=(1, 11))
    root = Row(thing=Row(child_id="nobody"))

    await holds("{ thing { childMust { int } } }", {"thing": None}, Outcome.RECOVERED, errors=[error], root=root)


async def test_a_relations_result_may_be_an_exception() -> None:
    store = {"a": Row(int=1), "b": KeyError("b"), "c": Row(int=3)}
    root = Row(things=[Row(child_id=key) for key in "abc"])
    data = {"things": [{"child": {"int": 1}}, {"child": None}, {"child": {"int": 3}}]}
    error = said("'b'", "things", 1, "child", at=(1, 12))

    await holds("{ things { child { int } } }", data, Outcome.RECOVERED, errors=[error], root=root, store=store)


async def test_a_null_in_a_relations_list_propagates_by_its_type() -> None:
    store = {"all": [Row(int=1), None]}
    error = said(NULL.format("Query.childrenItems"), "childrenItems", 1, at=(1, 22))
    data = {"children": [{"int": 1}, None], "childrenItems": None}

    await holds(
        "{ children { int }   childrenItems { int } }",
        data,
        Outcome.RECOVERED,
        errors=[error],
        root=Row(children_id="all"),
        store=store,
    )


async def test_a_shared_object_is_null_for_both_parents() -> None:
    store = {"a": Row()}
    root = Row(things=[Row(child_id="a"), Row(child_id="a")])
    errors = [said(NULL.format("Thing.must"), "things", index, "child", "must", at=(1, 20)) for index in (0, 1)]
    data = {"things": [{"child": None}, {"child": None}]}

    await holds("{ things { child { must } } }", data, Outcome.RECOVERED, errors=errors, root=root, store=store)


async def test_abstract_type_errors_propagate_by_the_concrete_field() -> None:
    dog, cat = Row(kind="Dog", name="Rex"), Row(kind="Cat", name="Tom", lives=9)
    text = "{ animals { ... on Dog { must } name } }"
    error = said(NULL.format("Dog.must"), "animals", 0, "must", at=(1, 26))

    await holds(
        text, {"animals": [None, {"name": "Tom"}]}, Outcome.RECOVERED, errors=[error], root=Row(animals=[dog, cat])
    )


async def test_unselected_fields_cause_no_errors() -> None:
    await holds("{ int fails @skip(if: true) }", {"int": 1}, Outcome.COMPILED, root=Row(int=1))


async def test_an_invalid_directive_condition_is_an_error() -> None:
    text = "query ($no: Boolean = true) { int string @skip(if: $no) }"
    detail = "Expected variable '$no' provided to non-null type 'Boolean!' not to be None."
    error = said(f"Argument 'if' has invalid value: {detail}", at=(1, 52))

    await holds(text, None, Outcome.REFERENCE, errors=[error], variables={"no": None})
