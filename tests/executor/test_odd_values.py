"""Names and values that schemas rarely have. Our drop-in gives what Strawberry's schema gives."""

import asyncio
import gc
import warnings
import weakref
from collections.abc import Collection, Iterator
from typing import Annotated, Any, NewType

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from mainsheet.executor import Schema


async def doubled(value: int) -> int:
    if value < 0:
        raise ValueError("negative")
    return 2 * value


Anything = NewType("Anything", object)
Doubled = NewType("Doubled", int)
SCALARS = StrawberryConfig(
    scalar_map={
        Anything: strawberry.scalar(name="Anything", serialize=lambda value: value),
        Doubled: strawberry.scalar(name="Doubled", serialize=doubled),
    }
)

both = pytest.mark.parametrize("sync", [False, True], ids=["execute", "execute_sync"])


async def same(query: type, text: str, *, sync: bool) -> Any:
    """Assert that both classes of schemas give the same result, twice. Return its data and messages."""
    reference, ours = schemas(query)
    expected = await shown(reference, text, sync=sync)
    for _ in range(2):
        assert await shown(ours, text, sync=sync) == expected
    data, errors = expected
    return data, [error["message"] for error in errors]


def schemas(query: type) -> list[strawberry.Schema]:
    """Return Strawberry's schema and ours. Mutations have the fields of queries."""
    mutation = strawberry.type(type("Mutation", (query,), {}))
    return [made(query, mutation, config=SCALARS) for made in (strawberry.Schema, Schema)]


async def executed(api: strawberry.Schema, text: str, *, sync: bool) -> Any:
    return api.execute_sync(text) if sync else await api.execute(text)


async def shown(api: strawberry.Schema, text: str, *, sync: bool) -> tuple[Any, list[Any]]:
    result = await executed(api, text, sync=sync)
    return result.data, [error.formatted for error in result.errors or ()]


@strawberry.type
class Named:
    @strawberry.field
    def named(self, info: Info, source: str, call: str, me: Annotated[str, strawberry.argument(name="self")]) -> str:
        return source + call + me

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")


@strawberry.type
class Names:
    @strawberry.field
    def names(self) -> Named:
        return Named()


@both
@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_arguments_may_have_any_name_beside_an_error(kind: str, sync: bool) -> None:
    text = f'{kind} {{ names {{ named(source: "a", call: "b", self: "c") fails }} }}'

    found = await same(Names, text, sync=sync)

    assert found == ({"names": {"named": "abc", "fails": None}}, ["it fails"])


@both
@pytest.mark.parametrize("kind", ["query", "mutation"])
@pytest.mark.parametrize("beside", ["", 'named(source: "a", call: "b", self: "c")'])
async def test_exceptions_have_no_context_of_ours(kind: str, beside: str, sync: bool) -> None:
    """Tracebacks in logs show it."""
    for api in schemas(Names):
        result = await executed(api, f"{kind} {{ names {{ fails {beside} }} }}", sync=sync)

        assert [repr(each.original_error.__context__) for each in result.errors] == ["None"]


class Unwritten:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


UNWRITTEN = Unwritten()


@strawberry.type
class Values:
    @strawberry.field
    def huge(self) -> Anything:
        return Anything(10**5000)  # Python writes no more than 4300 digits

    @strawberry.field
    def unwritten(self) -> Anything:
        return Anything(UNWRITTEN)

    @strawberry.field
    def named(self) -> Named:
        return Named()


@both
@pytest.mark.parametrize(
    ("text", "data", "messages"),
    [
        ("{ huge }", {"huge": 10**5000}, []),
        ("{ unwritten }", {"unwritten": UNWRITTEN}, []),
        ("{ unwritten named { fails } }", {"unwritten": UNWRITTEN, "named": {"fails": None}}, ["it fails"]),
    ],
    ids=["huge", "unwritten", "beside an error"],
)
async def test_scalars_need_no_text(text: str, data: Any, messages: list[str], sync: bool) -> None:
    assert await same(Values, text, sync=sync) == (data, messages)


@strawberry.type
class Doubles:
    @strawberry.field
    def doubled(self) -> list[Doubled | None]:
        return [Doubled(1), Doubled(-1), Doubled(2)]

    @strawberry.field
    def told(self, info: Info) -> Doubled:
        return Doubled(3)

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")

    @strawberry.field
    def nested(self) -> "Doubles":
        return Doubles()


@pytest.mark.parametrize("kind", ["query", "mutation"])
@pytest.mark.parametrize(
    ("text", "data", "messages"),
    [
        ("nested { doubled }", {"doubled": [2, None, 4]}, ["negative"]),
        ("nested { told }", {"told": 6}, []),
        (
            "nested { fails doubled told }",
            {"fails": None, "doubled": [2, None, 4], "told": 6},
            ["it fails", "negative"],
        ),
    ],
)
async def test_scalars_may_be_written_asynchronously(kind: str, text: str, data: Any, messages: list[str]) -> None:
    assert await same(Doubles, f"{kind} {{ {text} }}", sync=False) == ({"nested": data}, messages)


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@strawberry.input
class Refusing:
    number: int

    def __post_init__(self) -> None:
        raise Silent


@strawberry.type
class Failing:
    @strawberry.field
    def fails(self) -> str | None:
        raise Silent

    @strawberry.field
    def told(self, info: Info) -> str | None:
        raise Silent

    @strawberry.field
    def takes(self, given: Refusing) -> str | None:
        return str(given.number)


@strawberry.type
class Failures:
    @strawberry.field
    def failing(self) -> Failing | None:
        return Failing()

    @strawberry.field
    def all(self) -> list[Failing | None]:
        return [Failing(), Failing()]


@both
@pytest.mark.parametrize("selected", ["fails", "told", "takes(given: {number: 1})"])
async def test_exceptions_need_no_text(selected: str, sync: bool) -> None:
    found = await same(Failures, f"{{ failing {{ {selected} }} all {{ {selected} }} }}", sync=sync)

    assert found == ({"failing": None, "all": [None, None]}, ["no text"] * 3)


class Lazy(Collection[str]):
    """A list that is read when it is iterated over."""

    def __init__(self, *, fails: bool = False, has_size: bool = True) -> None:
        self._fails = fails
        self._has_size = has_size

    def __len__(self) -> int:
        if not self._has_size:
            raise ValueError("no size")
        return 5

    def __contains__(self, value: object) -> bool:
        return value == "read"

    def __iter__(self) -> Iterator[str]:
        yield "read"
        if self._fails:
            raise ValueError("not read")


@strawberry.type
class Hostile:
    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")

    @strawberry.field
    def lazy(self, fails: bool = False, has_size: bool = True) -> list[str] | None:
        return Lazy(fails=fails, has_size=has_size)  # type: ignore[return-value]  # may be any collection

    @strawberry.field
    def dead(self) -> str | None:
        return weakref.proxy(Silent())  # type: ignore[no-any-return]  # its object is freed at once

    @strawberry.field
    def dead_object(self) -> Failing | None:
        return weakref.proxy(Failing())  # type: ignore[no-any-return]


@both
@pytest.mark.parametrize(
    ("text", "data", "messages"),
    [
        ("{ fails lazy }", {"fails": None, "lazy": ["read"]}, ["it fails"]),
        ("{ lazy(hasSize: false) }", {"lazy": ["read"]}, []),
        ("{ lazy(fails: true) }", {"lazy": None}, ["not read"]),
        ("{ dead }", {"dead": None}, ["weakly-referenced object no longer exists"]),
        ("{ deadObject { fails } }", {"deadObject": None}, ["weakly-referenced object no longer exists"]),
    ],
    ids=["wrong size", "no size", "not read", "dead scalar", "dead object"],
)
async def test_values_whose_methods_fail_are_errors_of_fields(
    text: str, data: Any, messages: list[str], sync: bool
) -> None:
    assert await same(Hostile, text, sync=sync) == (data, messages)


@strawberry.type
class Cancelled:
    @strawberry.field
    async def cancelled(self) -> str | None:
        raise asyncio.CancelledError("by the resolver")

    @strawberry.field
    def nested(self) -> "Cancelled":
        return Cancelled()


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_a_resolver_that_is_cancelled_cancels_the_operation(kind: str) -> None:
    for api in schemas(Cancelled):
        with pytest.raises(asyncio.CancelledError, match="by the resolver"):
            await api.execute(f"{kind} {{ nested {{ cancelled }} }}")


async def soon(value: Any) -> Any:
    return value


@strawberry.interface
class Text:
    text: str


class Row:
    """Its text is a coroutine, the same one each time that it is read, or another one."""

    def __init__(self, *, keeps: bool) -> None:
        self._kept = soon("kept") if keeps else None

    @property
    def text(self) -> Any:
        return self._kept or soon("new")


@strawberry.type
class Note(Text):
    @strawberry.field
    def told(self, info: Info) -> str:
        return "told"

    @strawberry.field
    def title(self) -> str:
        return soon("title")  # type: ignore[return-value]  # a coroutine

    @strawberry.field
    def reply(self) -> Text:
        return soon(Note(text="reply"))  # type: ignore[return-value]  # a coroutine

    @strawberry.field
    def titles(self) -> list[list[str | None]]:
        return [[soon("a"), soon("b")], [soon("c")]]  # type: ignore[list-item]  # coroutines

    @strawberry.field
    def some_fail(self) -> list[str | None]:
        return [soon("a"), soon(ValueError("not read")), soon("c")]  # type: ignore[list-item]

    @strawberry.field
    def fails(self) -> str:
        raise ValueError("it fails")


@strawberry.type
class Page:
    text: str


@strawberry.type
class Notes:
    @strawberry.field
    def note(self) -> Note:
        return Note(text="note")

    @strawberry.field
    def notes(self) -> list[Note] | None:
        return [Note(text="now"), soon(Note(text="soon"))]  # type: ignore[list-item]  # a coroutine

    @strawberry.field
    def page(self, keeps: bool) -> Page:
        return Row(keeps=keeps)  # type: ignore[return-value]  # is read as one


@pytest.mark.parametrize("kind", ["query", "mutation"])
@pytest.mark.parametrize(
    ("selected", "messages"),
    [
        ("note { title }", []),
        ("note { told title }", []),
        ("note { reply { text } }", []),
        ("note { reply { text ... on Note { told } } }", []),
        ("page(keeps: true) { text }", []),
        ("page(keeps: false) { text }", []),
        ("note { titles }", []),
        ("note { told titles }", []),
        ("note { someFail }", ["not read"]),
        ("note { told someFail }", ["not read"]),
        ("notes { text }", []),
        ("notes { fails }", ["it fails"]),
        ("notes { told fails }", ["it fails"]),
    ],
)
async def test_no_coroutine_is_left_behind(kind: str, selected: str, messages: list[str]) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        _, errors = await same(Notes, f"{kind} {{ {selected} }}", sync=False)
        gc.collect()

    assert (errors, [str(each.message) for each in found]) == (messages, [])
