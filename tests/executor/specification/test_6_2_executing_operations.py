"""Section 6.2: queries and mutations. The executor doesn't run subscriptions."""

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row

STORE = {"a": Row(string="of a")}


async def test_a_query_without_error_has_no_errors() -> None:
    await holds("query { int }", {"int": None}, Outcome.COMPILED)


async def test_a_query_returns_an_object_of_its_root_fields() -> None:
    await holds("{ string __typename }", {"string": "a", "__typename": "Query"}, Outcome.COMPILED, root=Row(string="a"))


async def test_root_fields_of_a_query_share_a_batch() -> None:
    context = await holds(
        '{ a: find(id: "a") { string } b: find(id: "b") { string } }',
        {"a": {"string": "of a"}, "b": {"string": "of b"}},
        Outcome.COMPILED,
        store={**STORE, "b": Row(string="of b")},
    )

    assert context.asked == [("by_keys", ["a", "b"])]


async def test_root_fields_of_a_mutation_run_serially() -> None:
    fields = "one: addLater(number: 1) { value } two: add(number: 2) { value } three: addLater(number: 3) { value }"
    data = {"one": {"value": 1}, "two": {"value": 2}, "three": {"value": 3}}

    context = await holds(f"mutation {{ {fields} }}", data, Outcome.PARTS)

    assert context.called == ["add 1", "1 is added", "add 2", "add 3", "3 is added"]


async def test_a_mutation_is_completed_before_the_next_begins() -> None:
    text = "mutation { one: add(number: 1) { thing { string } } two: add(number: 2) { value } }"

    await holds(text, {"one": {"thing": {"string": "of a"}}, "two": {"value": 2}}, Outcome.PARTS, store=STORE)


async def test_a_failed_mutation_doesnt_stop_the_next_one() -> None:
    text = "mutation { refuse { value } add(number: 1) { value } }"

    context = await holds(
        text, {"refuse": None, "add": {"value": 1}}, Outcome.PARTS, errors=[said("refused", "refuse", at=(1, 12))]
    )

    assert context.called == ["add 1"]


async def test_a_failed_non_null_mutation_stops_the_next_ones() -> None:
    text = "mutation { add(number: 1) { value } refuseMust { value } more: add(number: 2) { value } }"
    error = said("refused, and must not be", "refuseMust", at=(1, 37))

    context = await holds(text, None, Outcome.PARTS, errors=[error])

    assert context.called == ["add 1"]


async def test_an_error_below_a_mutation_doesnt_repeat_it() -> None:
    text = "mutation { addLater(number: 1) { value broken { string } } }"
    error = said("the batch fails", "addLater", "broken", at=(1, 40))

    context = await holds(text, {"addLater": {"value": 1, "broken": None}}, Outcome.PARTS, errors=[error])

    assert context.called == ["add 1", "1 is added"]


async def test_a_non_null_error_makes_the_mutation_null() -> None:
    text = "mutation { addLater(number: 1) { value must } }"
    error = said("Cannot return null for non-nullable field Counter.must.", "addLater", "must", at=(1, 40))

    await holds(text, {"addLater": None}, Outcome.PARTS, errors=[error])


async def test_root_fields_of_a_mutation_that_merge_are_executed_once() -> None:
    text = "mutation { add(number: 1) { value } add(number: 1) { thing { string } } }"

    context = await holds(text, {"add": {"value": 1, "thing": {"string": "of a"}}}, Outcome.PARTS, store=STORE)

    assert context.called == ["add 1"]


async def test_a_root_field_of_a_mutation_can_be_skipped() -> None:
    text = "mutation ($no: Boolean!) { add(number: 1) @skip(if: $no) { value } __typename }"

    context = await holds(text, {"__typename": "Mutation"}, Outcome.REFERENCE, variables={"no": True})

    assert context.called == []


async def test_introspection_is_executed() -> None:
    text = '{ __type(name: "Mood") { kind enumValues { name } } __schema { queryType { name } } int }'
    data = {
        "__type": {"kind": "ENUM", "enumValues": [{"name": "HAPPY"}, {"name": "SAD"}]},
        "__schema": {"queryType": {"name": "Query"}},
        "int": 1,
    }

    await holds(text, data, Outcome.REFERENCE, root=Row(int=1))
