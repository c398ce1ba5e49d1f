"""Section 6.4.2: value resolution."""

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.specification.both import holds
from tests.executor.specification.rows import Row

STORE = {"a": Row(string="of a", int=1, child_id="b"), "b": Row(string="of b", int=2)}


class Counted(Row):
    """Counts how often it is read."""

    reads = 0

    @property
    def string(self) -> str:
        self.reads += 1
        return "counted"


async def test_a_field_without_resolver_is_read_from_the_object() -> None:
    await holds("{ thing { int } }", {"thing": {"int": 2}}, Outcome.COMPILED, root=Row(thing=Row(int=2)))


async def test_an_attribute_is_read_once_by_each_executor() -> None:
    row = Counted()

    await holds("{ thing { string } }", {"thing": {"string": "counted"}}, Outcome.COMPILED, root=Row(thing=row))

    assert row.reads == 2


async def test_after_an_error_an_attribute_is_read_again() -> None:
    row = Counted()
    data = {"thing": {"string": "counted"}, "fails": None}
    error = said("it fails", "fails", at=(1, 20))

    await holds("{ thing { string } fails }", data, Outcome.RECOVERED, errors=[error], root=Row(thing=row))

    assert row.reads == 3  # by the reference, by the compiled executor, and by the reference for its errors


async def test_items_of_a_nulled_list_are_not_read() -> None:
    row = Counted()
    error = said("Cannot return null for non-nullable field Thing.must.", "thingsItems", 0, "must", at=(1, 17))

    await holds(
        "{ thingsItems { must string } }",
        {"thingsItems": None},
        Outcome.RECOVERED,
        errors=[error],
        root=Row(things_items=[Row(), row]),
    )

    assert row.reads == 0


async def test_a_missing_attribute_is_an_error() -> None:
    error = said("type object 'object' has no attribute 'string'", "thing", "string", at=(1, 11))

    await holds(
        "{ thing { string } }", {"thing": {"string": None}}, Outcome.RECOVERED, errors=[error], root=Row(thing=object)
    )


async def test_a_resolver_gets_its_object_and_arguments() -> None:
    data = {"myself": {"thing": {"needs": 3}}}

    await holds("{ myself { thing { needs(value: 3) } } }", data, Outcome.COMPILED, root=Row(thing=Row()))


async def test_a_relation_is_loaded_by_the_objects_key() -> None:
    data = {"child": {"child": {"string": "of b"}}}

    context = await holds("{ child { child { string } } }", data, Outcome.COMPILED, root=Row(child_id="a"), store=STORE)

    assert context.asked == [("by_keys", ["a"]), ("by_keys", ["b"])]


async def test_a_relation_with_a_null_key_is_null() -> None:
    context = await holds("{ child { string } }", {"child": None}, Outcome.COMPILED)

    assert context.asked == []


async def test_a_relation_without_answer_is_null() -> None:
    await holds("{ child { string } }", {"child": None}, Outcome.COMPILED, root=Row(child_id="nobody"))


async def test_a_resolver_may_be_asynchronous() -> None:
    await holds("{ later int }", {"later": "later", "int": 1}, Outcome.COMPILED, root=Row(int=1))


async def test_a_resolver_may_be_asynchronous_below_the_root() -> None:
    data = {"child": {"later": "later", "child": {"int": 2}}, "int": 1}
    text = "{ child { later child { int } } int }"

    await holds(text, data, Outcome.COMPILED, root=Row(int=1, child_id="a"), store=STORE)


async def test_a_resolver_may_use_its_path() -> None:
    data = {"things": [{"it": {"where": ["things", 0, "it", "where"]}}]}

    await holds("{ things { it: thing { where } } }", data, Outcome.COMPILED, root=Row(things=[Row(thing=Row())]))


async def test_asynchronous_fields_keep_their_order() -> None:
    data = {"a": "later", "string": "s", "b": "later", "child": {"int": 1}}
    root = Row(string="s", child_id="a")

    await holds("{ a: later string b: later child { int } }", data, Outcome.COMPILED, root=root, store=STORE)


async def test_a_failing_asynchronous_resolver_is_a_field_error() -> None:
    error = said("it fails later", "failsLater", at=(1, 3))

    await holds("{ failsLater int }", {"failsLater": None, "int": 1}, Outcome.REPLAYED, errors=[error], root=Row(int=1))


async def test_loaded_results_are_not_loaded_again_after_an_error() -> None:
    text = "{ child { string child { string } fails } }"
    data = {"child": {"string": "of a", "child": {"string": "of b"}, "fails": None}}
    error = said("it fails", "child", "fails", at=(1, 35))

    context = await holds(text, data, Outcome.RECOVERED, errors=[error], root=Row(child_id="a"), store=STORE)

    assert context.asked == [("by_keys", ["a"]), ("by_keys", ["b"])]


async def test_arguments_are_coerced_before_any_batch_of_a_level() -> None:
    error = said("below zero", "multipleMust", at=(1, 17))

    context = await holds(
        "{ child { int } multipleMust(times: -1) }",
        None,
        Outcome.RECOVERED,
        errors=[error],
        root=Row(int=2, child_id="a"),
        store=STORE,
    )

    assert context.asked == []
