"""Section 6.3: selected fields, their order and merging."""

import pytest

from mainsheet.executor import Outcome
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row

ROOT = Row(
    int=1, string="s", thing=Row(int=2, string="t", child_id="a"), child_id="a", animal_id="dog", animals_id="both"
)
STORE = {
    "a": Row(int=3, string="of a", child_id="b"),
    "b": Row(int=4, string="of b"),
    "dog": Row(kind="Dog", name="Rex", barks=True, owner_id="a", child_id="b"),
    "cat": Row(kind="Cat", name="Tom", lives=9, owner_id="b"),
}
STORE["both"] = [STORE["dog"], STORE["cat"]]  # type: ignore[assignment]  # what a relation of many answers


async def test_the_answer_has_the_order_of_the_selection() -> None:
    await holds("{ string int }", {"string": "s", "int": 1}, Outcome.COMPILED, root=ROOT)
    await holds("{ int string }", {"int": 1, "string": "s"}, Outcome.COMPILED, root=ROOT)


async def test_a_relation_keeps_its_position() -> None:
    data = {"int": 1, "child": {"string": "of a"}, "string": "s"}

    await holds("{ int child { string } string }", data, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_a_repeated_field_keeps_its_first_position() -> None:
    await holds("{ string int string }", {"string": "s", "int": 1}, Outcome.COMPILED, root=ROOT)


async def test_fragment_fields_are_ordered_by_the_spread() -> None:
    text = "{ string ...More __typename } fragment More on Query { int string }"

    await holds(text, {"string": "s", "int": 1, "__typename": "Query"}, Outcome.COMPILED, root=ROOT)


async def test_an_alias_is_the_response_key() -> None:
    await holds("{ one: int two: int int }", {"one": 1, "two": 1, "int": 1}, Outcome.COMPILED, root=ROOT)


async def test_an_alias_may_be_the_name_of_another_field() -> None:
    await holds("{ int: string string: int }", {"int": "s", "string": 1}, Outcome.COMPILED, root=ROOT)


@pytest.mark.parametrize("name", ["class", "None", "value", "context", "__x", "answer", "k1", "NOTHING"])
async def test_an_alias_may_be_any_name(name: str) -> None:
    text = f"{{ {name}: child {{ {name}: string }} }}"

    await holds(text, {name: {name: "of a"}}, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_aliases_of_a_relation_share_a_call() -> None:
    text = "{ one: child { int } two: child { string } }"

    context = await holds(
        text, {"one": {"int": 3}, "two": {"string": "of a"}}, Outcome.COMPILED, root=ROOT, store=STORE
    )

    assert context.asked == [("by_keys", ["a"])]


async def test_fields_of_one_key_merge_their_selections() -> None:
    text = "{ thing { int } thing { string } }"

    await holds(text, {"thing": {"int": 2, "string": "t"}}, Outcome.COMPILED, root=ROOT)


async def test_fields_merge_at_every_depth() -> None:
    text = "{ thing { child { int } } ...More } fragment More on Query { thing { child { string child { int } } } }"
    data = {"thing": {"child": {"int": 3, "string": "of a", "child": {"int": 4}}}}

    await holds(text, data, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_relations_of_one_key_merge_their_selections() -> None:
    text = "{ child { int } child { child { int } } child { string } }"
    data = {"child": {"int": 3, "child": {"int": 4}, "string": "of a"}}

    await holds(text, data, Outcome.COMPILED, root=ROOT, store=STORE)


@pytest.mark.parametrize(
    ("directives", "is_there"),
    [
        ("@skip(if: true)", False),
        ("@skip(if: false)", True),
        ("@include(if: true)", True),
        ("@include(if: false)", False),
        ("@skip(if: true) @include(if: true)", False),
        ("@skip(if: false) @include(if: false)", False),
        ("@skip(if: false) @include(if: true)", True),
        ("@skip(if: true) @include(if: false)", False),
    ],
)
@pytest.mark.parametrize("what", ["string", "... { string }", "... on Query { string }", "...Part"])
async def test_skipped_and_not_included_fields_are_absent(what: str, directives: str, is_there: bool) -> None:
    where = what.replace(" {", f" {directives} {{") if "{" in what else f"{what} {directives}"
    text = f"{{ int {where} }} {'fragment Part on Query { string }' if what == '...Part' else ''}"

    await holds(text, {"int": 1, "string": "s"} if is_there else {"int": 1}, Outcome.COMPILED, root=ROOT)


@pytest.mark.parametrize("given", [True, False])
async def test_a_variable_may_decide_what_is_included(given: bool) -> None:
    text = "query ($with: Boolean!) { int child @include(if: $with) { string } }"
    data = {"int": 1, "child": {"string": "of a"}} if given else {"int": 1}

    context = await holds(text, data, Outcome.COMPILED, root=ROOT, store=STORE, variables={"with": given})

    assert bool(context.asked) is given  # fields that aren't included aren't loaded


@pytest.mark.parametrize(("variables", "is_there"), [({}, False), ({"no": False}, True)])
async def test_the_default_of_a_variable_may_decide_what_is_skipped(variables: dict[str, bool], is_there: bool) -> None:
    text = "query ($no: Boolean = true) { int string @skip(if: $no) }"

    await holds(
        text, {"int": 1, "string": "s"} if is_there else {"int": 1}, Outcome.COMPILED, root=ROOT, variables=variables
    )


async def test_a_field_skipped_once_may_be_selected_elsewhere() -> None:
    text = "{ thing @skip(if: true) { string } thing { int } }"

    await holds(text, {"thing": {"int": 2}}, Outcome.COMPILED, root=ROOT)


async def test_a_fully_skipped_selection_is_an_empty_object() -> None:
    text = "{ thing { int @skip(if: true) } child { int @skip(if: true) } }"

    await holds(text, {"thing": {}, "child": {}}, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_a_fully_skipped_operation_is_an_empty_object() -> None:
    await holds("{ int @include(if: false) }", {}, Outcome.COMPILED, root=ROOT)


async def test_a_fragment_without_type_applies_to_its_parent() -> None:
    await holds("{ ... { int ... { string } } }", {"int": 1, "string": "s"}, Outcome.COMPILED, root=ROOT)


async def test_a_fragment_is_applied_once_to_each_selection() -> None:
    text = "{ ...A ...A thing { ...B } child { ...B } } fragment A on Query { int } fragment B on Thing { string }"
    data = {"int": 1, "thing": {"string": "t"}, "child": {"string": "of a"}}

    await holds(text, data, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_a_fragment_applies_to_its_own_type_only() -> None:
    text = "{ childAnimals { name ... on Dog { barks } ... on Cat { lives } } }"
    data = {"childAnimals": [{"name": "Rex", "barks": True}, {"name": "Tom", "lives": 9}]}

    await holds(text, data, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_a_fragment_on_an_interface_applies_to_its_types() -> None:
    text = "{ childPet { ...Named } childAnimal { ... on Animal { name } } } fragment Named on Animal { name }"

    await holds(
        text, {"childPet": {"name": "Rex"}, "childAnimal": {"name": "Rex"}}, Outcome.COMPILED, root=ROOT, store=STORE
    )


async def test_a_fragment_on_a_union_applies_to_its_members() -> None:
    text = "{ childAnimal { ... on Pet { ... on Dog { barks } ... on Cat { lives } } } }"

    await holds(text, {"childAnimal": {"barks": True}}, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_fragments_of_several_types_merge_in_their_order() -> None:
    dog = "... on Dog { barks owner { int } } name ... on Animal { child { int } } ... on Dog { owner { string } }"
    data = {"childAnimal": {"barks": True, "owner": {"int": 3, "string": "of a"}, "name": "Rex", "child": {"int": 4}}}

    await holds(f"{{ childAnimal {{ {dog} }} }}", data, Outcome.COMPILED, root=ROOT, store=STORE)


async def test_types_may_have_different_fields_for_one_key() -> None:
    text = "{ childAnimals { ... on Dog { it: owner { int } } ... on Cat { it: owner { int } } } }"
    data = {"childAnimals": [{"it": {"int": 3}}, {"it": {"int": 4}}]}

    context = await holds(text, data, Outcome.COMPILED, root=ROOT, store=STORE)

    assert context.asked == [("by_keys", ["both"]), ("by_keys", ["a", "b"])]


async def test_each_level_is_loaded_once() -> None:
    store = {str(number): Row(int=number, child_id=str(number + 10)) for number in range(20)}
    root = Row(things=[Row(child_id=str(number)) for number in range(10)])
    data = {"things": [{"child": {"int": number, "child": {"int": number + 10}}} for number in range(10)]}

    context = await holds("{ things { child { int child { int } } } }", data, Outcome.COMPILED, root=root, store=store)

    assert [len(keys) for _, keys in context.asked] == [10, 10]
