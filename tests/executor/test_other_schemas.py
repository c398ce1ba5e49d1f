"""Features of other schemas than ours. Both executors give the same result, and nothing is skipped."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NewType

import pytest
import strawberry
from graphql import ExecutionResult, OperationDefinitionNode, parse
from strawberry.directive import DirectiveLocation, DirectiveValue
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import InputContext
from strawberry.types.field import StrawberryField

from mainsheet.executor import RELATION, Executor, Outcome, Prepared, Request, core_schema, refer
from tests.executor.specification.relation import Context, Relation
from tests.executor.specification.rows import Row, by_keys


def request(
    api: strawberry.Schema,
    text: str,
    root: Any = None,
    variables: dict[str, Any] | None = None,
    context: Any = None,
    **parsing: bool,
) -> Request:
    document = parse(text, **parsing)
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return Request(Prepared(core_schema(api), document, operation), variables, context, root)


async def same(api: strawberry.Schema, given: Request) -> tuple[Any, list[Outcome]]:
    """Assert that graphql-core and the executor give the same result, twice. Return its data, and how it was made."""
    outcomes: list[Outcome] = []
    executor = Executor(api, observe=outcomes.append)
    reference = shown(await refer(api, given))
    for _ in range(2):
        assert shown(await executor.execute(given)) == reference
    return reference[0], outcomes[::2]


def shown(result: ExecutionResult) -> tuple[Any, list[Any]]:
    return result.data, [error.formatted for error in result.errors or ()]


@strawberry.type
class Person:
    name: str | None

    @strawberry.field
    def self_and_root(self, root: Any) -> bool:
        return self is root

    @strawberry.field
    def self_and_parent(self, parent: strawberry.Parent[Any]) -> bool:
        return self is parent

    @strawberry.field
    def alone() -> str:
        return "alone"

    @strawberry.field
    def someone(self) -> "Person":
        return Person(name="someone")

    @strawberry.field
    def must(self) -> str:
        raise ValueError("no")


@strawberry.type
class People:
    person: Person | None


PEOPLE = strawberry.Schema(People)
ADA = People(person=Person(name="Ada"))


@pytest.mark.parametrize("field", ["selfAndRoot", "selfAndParent", "alone"])
async def test_resolvers_get_their_parent_by_each_name(field: str) -> None:
    _, outcomes = await same(PEOPLE, request(PEOPLE, f"{{ person {{ {field} }} }}", ADA))

    assert outcomes == [Outcome.COMPILED]


FRAGMENT = "{ person { ...F(no: true) } } fragment F($no: Boolean!) on Person { name @skip(if: $no) alone }"


async def test_fragments_with_variables_are_handed_over() -> None:
    given = request(PEOPLE, FRAGMENT, ADA, experimental_fragment_arguments=True)

    data, outcomes = await same(PEOPLE, given)

    assert data == {"person": {"alone": "alone"}}
    assert outcomes == [Outcome.REFERENCE]


async def test_without_error_propagation_it_is_handed_over() -> None:
    text = "query @experimental_disableErrorPropagation { person { must } }"

    data, outcomes = await same(PEOPLE, request(PEOPLE, text, ADA))

    assert data == {"person": {"must": None}}
    assert outcomes == [Outcome.REFERENCE]


class FortyTwo(StrawberryField):
    def get_result(self, *_: Any, **__: Any) -> Any:
        return 42


FORTY_TWO: Any = FortyTwo(python_name="number", type_annotation=strawberry.annotation.StrawberryAnnotation(int))


class Answer:
    number: int = FORTY_TWO


async def test_a_field_with_another_get_result_is_handed_over() -> None:
    api = strawberry.Schema(strawberry.type(Answer))

    data, _ = await same(api, request(api, "{ number }", SimpleNamespace(number=1)))

    assert data == {"number": 42}


class Upper(StrawberryGraphQLCoreExecutionContext):
    @staticmethod
    def complete_leaf_value(return_type: Any, result: Any) -> Any:
        return StrawberryGraphQLCoreExecutionContext.complete_leaf_value(return_type, result).upper()


async def test_another_execution_context_is_used() -> None:
    api = strawberry.Schema(People, execution_context_class=Upper)

    data, outcomes = await same(api, request(api, "{ person { name } }", ADA))

    assert data == {"person": {"name": "ADA"}}
    assert outcomes == [Outcome.REFERENCE]


INCREMENTAL = strawberry.Schema(People, config=StrawberryConfig(enable_experimental_incremental_execution=True))


async def test_incremental_schemas_are_compiled_where_nothing_is_deferred() -> None:
    _, outcomes = await same(INCREMENTAL, request(INCREMENTAL, "{ person { name } }", ADA))

    assert outcomes == [Outcome.COMPILED]


async def test_deferred_operations_are_delivered_incrementally() -> None:
    given = request(INCREMENTAL, "{ person { name ... @defer { alone } } }", ADA)

    result: Any = await Executor(INCREMENTAL).execute(given)

    assert result.initial_result.data == {"person": {"name": "Ada"}}
    later = await anext(aiter(result.subsequent_results))
    assert later.incremental[0].data == {"alone": "alone"}


class Stateful:
    """Gives its attributes once."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.values.pop(name)


@strawberry.type
class Owner:
    name: str
    friend: "Owner | None" = strawberry.field(metadata={RELATION: Relation(by_keys, "friend_id")})


@strawberry.interface
class Named:
    name: str

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return bool(value.name == info.context.store["name"])


@strawberry.type
class Kitten(Named):
    pass


@strawberry.type
class Owners:
    owner: Owner | None
    owners: list[Owner] | None
    named: Named | None

    @strawberry.field(graphql_type=Owner | None)
    def popped(self) -> Any:
        return self.owner


OWNERS = strawberry.Schema(Owners, types=[Kitten])


@strawberry.interface
class Animal:
    name: str


@strawberry.type
class Cat(Animal):
    @classmethod
    def is_type_of(cls, _value: Any, info: Any) -> bool:
        return str(info.return_type) == "Animal" or info.parent_type.name != "Zoo"


@strawberry.type
class Dog(Animal):
    @classmethod
    def is_type_of(cls, _value: Any, info: Any) -> bool:
        return str(info.return_type) == "[Animal!]!" and info.parent_type.name == "Zoo"


@strawberry.type
class Zoo:
    animals: list[Animal]


@strawberry.type
class Keyless:
    all: Owner | None = strawberry.field(metadata={RELATION: Relation(by_keys, None)})


STORE = {"a": SimpleNamespace(name="of a", friend_id="b"), "b": SimpleNamespace(name="of b", friend_id="a")}


@pytest.mark.parametrize("field", ["owner", "popped"])
async def test_values_with_relations_below_them_are_read_once(field: str) -> None:
    owner = Row(name="Ada", friend_id="a")
    text = f"{{ {field} {{ name friend {{ friend {{ name }} }} }} owners {{ friend {{ name }} }} }}"
    root = Stateful(owner=owner, owners=[owner, owner])

    result = await Executor(OWNERS).execute(request(OWNERS, text, root, context=Context(STORE)))

    assert result.errors is None
    assert result.data == {
        field: {"name": "Ada", "friend": {"friend": {"name": "of b"}}},
        "owners": [{"friend": {"name": "of a"}}] * 2,
    }


async def test_type_resolvers_may_read_the_request() -> None:
    given = request(OWNERS, "{ named { name } }", Row(named=Row(name="Tom")), context=Context({"name": "Tom"}))

    data, outcomes = await same(OWNERS, given)

    assert data == {"named": {"name": "Tom"}}
    assert outcomes == [Outcome.REPLAYED]


async def test_an_operation_that_is_replayed_often_goes_to_graphql_core_at_once() -> None:
    given = request(OWNERS, "{ named { name } }", Row(named=Row(name="Tom")), context=Context({"name": "Tom"}))
    outcomes: list[Outcome] = []
    executor = Executor(OWNERS, observe=outcomes.append)

    for _ in range(5):
        await executor.execute(given)

    assert outcomes == [Outcome.REPLAYED] * 3 + [Outcome.REFERENCE] * 2


async def test_requests_that_overlap_use_up_the_tries_together() -> None:
    text = "{ named { name } owner { friend { name } } }"
    root = Row(named=Row(name="Tom"), owner=Row(name="Ada", friend_id="a"))
    given = request(OWNERS, text, root)
    outcomes: list[Outcome] = []
    executor = Executor(OWNERS, observe=outcomes.append)

    async def execute() -> None:
        await executor.execute(replace(given, context=Context({**STORE, "name": "Tom"})))

    await asyncio.gather(*[execute() for _ in range(5)])
    outcomes.clear()
    await execute()

    assert outcomes == [Outcome.REFERENCE]


async def test_type_resolvers_may_read_the_type_of_the_field() -> None:
    api = strawberry.Schema(Zoo, types=[Cat, Dog])

    data, _ = await same(api, request(api, "{ animals { __typename } }", Row(animals=[Row(name="Tom")])))

    assert data == {"animals": [{"__typename": "Dog"}]}


async def test_a_relation_without_key_and_arguments_is_handed_over() -> None:
    api = strawberry.Schema(Keyless)

    _, outcomes = await same(api, request(api, "{ all { name } }", context=Context({})))

    assert outcomes == [Outcome.PARTS]


class Joining(Relation):
    """Adds the friend to its rows if it is asked for it."""

    async def answers(
        self, context: Context, keys: Sequence[Any], *question: Any, attributes: Any = None, **more: Any
    ) -> Mapping[Any, Any]:
        found = await by_keys(context.store, keys)
        for row in found.values():
            if any(isinstance(each, tuple) for each in attributes or ()):
                row.friend = SimpleNamespace(name="joined")
        return found


@strawberry.type
class Friend:
    name: str

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return hasattr(value, "name")


@strawberry.type
class Guest:
    name: str
    friend: Friend | None = strawberry.field(metadata={RELATION: Joining(by_keys, "friend_id", join="friend")})

    @strawberry.field(graphql_type=str)
    def shout(self) -> Any:
        return self.name.upper()

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return hasattr(value, "name")


GUEST = Joining(by_keys, "guest_id", joins=frozenset(["friend"]))


@strawberry.type
class Host:
    guest: Guest | None = strawberry.field(metadata={RELATION: GUEST})


@strawberry.type
class Guests:
    host: Host

    @strawberry.field(graphql_type=str)
    def info(self, info: strawberry.Info) -> Any:
        return info.field_name


GUESTS = strawberry.Schema(Guests)


@pytest.mark.parametrize(
    ("fields", "believes_rows", "name"),
    [
        ("host { guest { friend { name } } }", True, "joined"),
        ("host { guest { friend { name } } }", False, "of b"),
        ("host { guest { shout friend { name } } }", True, "of b"),
        ("info host { guest { friend { name } } }", True, "joined"),
    ],
)
async def test_rows_have_a_joined_value_only_if_their_batch_was_asked_for_it(
    fields: str, believes_rows: bool, name: str
) -> None:
    store = {"a": SimpleNamespace(name="of a", friend_id="b"), "b": SimpleNamespace(name="of b")}
    root = SimpleNamespace(host=SimpleNamespace(guest_id="a"))
    executor = Executor(GUESTS, believes_rows=believes_rows)

    result = await executor.execute(request(GUESTS, f"{{ {fields} }}", root, context=Context(store)))

    assert result.errors is None
    assert result.data
    assert result.data["host"]["guest"]["friend"] == {"name": name}


Bag = NewType("Bag", list)  # type: ignore[type-arg]  # of anything


@strawberry.type
class Bags:
    @strawberry.field
    def size(self, bag: Bag, more: list[int] = [1]) -> int:  # noqa: B006 it is the point
        bag.append("added")
        more.append(2)
        return len(bag) + len(more)


async def test_arguments_that_a_resolver_changes_are_made_anew_for_each_request() -> None:
    bag = strawberry.scalar(name="Bag", parse_value=list, parse_literal=lambda *_: [])
    api = strawberry.Schema(Bags, config=StrawberryConfig(scalar_map={Bag: bag}))
    for text, variables in [
        ("{ size(bag: 1) }", None),
        ("query ($bag: Bag!) { size(bag: $bag) }", {"bag": ("a",)}),
        ("query ($bag: Bag = 1) { size(bag: $bag) }", None),
    ]:
        _, outcomes = await same(api, request(api, text, Bags(), variables))
        assert outcomes == [Outcome.COMPILED]


def at_depth(depth: int, call: Callable[[], Any]) -> Any:
    return at_depth(depth - 1, call) if depth else call()


async def test_a_selection_too_deep_for_the_stack_is_no_exception() -> None:
    text = "{ person { " + "someone { " * 100 + "name must" + " }" * 100 + " } }"
    executor, given = Executor(PEOPLE), request(PEOPLE, text, ADA)
    await executor.execute(given)  # compiled here, since Python's compiler doesn't survive a full stack

    result = at_depth(700, lambda: executor.execute_sync(given))

    assert isinstance(result, ExecutionResult)
    assert result.errors


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def upper(value: DirectiveValue[str]) -> str:
    return value.upper()


@pytest.mark.parametrize("options", [{"extensions": [SchemaExtension]}, {"directives": [upper]}])
def test_a_schema_with_extensions_needs_someone_to_run_them(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="make it a"):
        Executor(strawberry.Schema(People, **options))


@strawberry.input
class Whose:
    name: str


def _of_the_context(cls: type[Whose], value: Mapping[str, Any], context: InputContext) -> Whose:
    assert context.info
    return cls(name=f"{value['name']} of {context.info.context.store['name']}")


vars(Whose)["__strawberry_definition__"].from_input = _of_the_context


@strawberry.input
class Around:
    whose: Whose


@strawberry.type
class Asking:
    @strawberry.field
    def whose(self, around: Around) -> str:
        return around.whose.name


async def test_input_types_that_build_their_value_get_info() -> None:
    api = strawberry.Schema(Asking)
    given = request(api, '{ whose(around: {whose: {name: "cat"}}) }', Asking(), context=Context({"name": "Ada"}))

    data, outcomes = await same(api, given)

    assert data == {"whose": "cat of Ada"}
    assert outcomes == [Outcome.COMPILED]
