"""Section 7: the response, as far as execution builds it."""

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row


async def test_data_of_a_query_is_an_object_and_there_are_no_errors() -> None:
    await holds("{ int }", {"int": 1}, Outcome.COMPILED, root=Row(int=1))


async def test_a_request_error_leaves_no_data() -> None:
    text = "query ($value: Int!) { needs(value: $value) }"
    message = "Variable '$value' has invalid value: Expected a value of non-null type 'Int!' to be provided."

    await holds(text, None, Outcome.REFERENCE, errors=[said(message, at=(1, 8))])


async def test_a_location_counts_lines_and_columns_from_one() -> None:
    text = "query\n{\n  int\n    it: fails\n}"

    await holds(text, {"int": None, "it": None}, Outcome.RECOVERED, errors=[said("it fails", "it", at=(4, 5))])


async def test_a_merged_field_has_all_its_locations() -> None:
    error = {
        "message": "it fails",
        "locations": [{"line": 1, "column": 3}, {"line": 1, "column": 9}],
        "path": ["fails"],
    }

    await holds("{ fails fails }", {"fails": None}, Outcome.RECOVERED, errors=[error])


async def test_a_location_may_be_inside_a_fragment() -> None:
    text = "{ ...F }\nfragment F on Query {\n  fails\n}"

    await holds(text, {"fails": None}, Outcome.RECOVERED, errors=[said("it fails", "fails", at=(3, 3))])


async def test_a_path_has_aliases_and_indices_from_zero() -> None:
    root = Row(thing_lists=[[Row()], [Row(), Row(things=[Row()])]])
    text = "{ lists: thingLists { things { no: fails } } }"
    data = {"lists": [[{"things": None}], [{"things": None}, {"things": [{"no": None}]}]]}
    error = said("it fails", "lists", 1, 1, "things", 0, "no", at=(1, 32))

    await holds(text, data, Outcome.RECOVERED, errors=[error], root=root)


async def test_an_error_may_have_extensions() -> None:
    error = said("it fails", "failsWith", at=(1, 3), code="WHY")

    await holds("{ failsWith }", {"failsWith": None}, Outcome.RECOVERED, errors=[error])


async def test_a_mutation_may_have_data_and_errors() -> None:
    text = "mutation { a: add(number: 1) { value } b: refuse { value } c: add(number: 3) { value } }"
    data = {"a": {"value": 1}, "b": None, "c": {"value": 3}}

    await holds(text, data, Outcome.PARTS, errors=[said("refused", "b", at=(1, 40))])


async def test_the_response_is_ordered_by_the_selection() -> None:
    row = Row(int=1, string="s", boolean=True)
    root = Row(int=1, string="s", thing=row, things=[row], child_id="a")
    text = "{ things { string int } child { boolean string int } string thing { int boolean string } int }"
    data = {
        "things": [{"string": "s", "int": 1}],
        "child": {"boolean": True, "string": "s", "int": 1},
        "string": "s",
        "thing": {"int": 1, "boolean": True, "string": "s"},
        "int": 1,
    }

    await holds(text, data, Outcome.COMPILED, root=root, store={"a": row})


async def test_the_response_keeps_its_order_after_an_error() -> None:
    error = said("it fails", "fails", at=(1, 10))

    await holds(
        "{ string fails int }",
        {"string": "s", "fails": None, "int": 1},
        Outcome.RECOVERED,
        errors=[error],
        root=Row(string="s", int=1),
    )
