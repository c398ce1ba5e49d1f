"""Compiles a shape to Python source: load level by level, then build the response from the deepest level up.

The source assumes that nothing fails. Any failure (an exception, a null in a non-null position, a value of an
unexpected kind) ends it with an exception. `recovery.py` then builds the response from what was loaded, with every
error.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from graphql import Undefined, VariableValues
from graphql.pyutils import Path, is_awaitable, is_collection

from mainsheet.executor.bounds import BYTE, STEP, UNBOUNDED, Extent, check, size_of
from mainsheet.executor.building import Building
from mainsheet.executor.finished import checkpoint
from mainsheet.executor.loading import Loading
from mainsheet.executor.resolver import Resolver
from mainsheet.executor.run import Pending
from mainsheet.executor.shape import Object, Shape, with_resolvers
from mainsheet.executor.unsupported import SOURCE, Unsupported
from mainsheet.executor.writer import Writer

Answer = Callable[[Any, Any, VariableValues], Awaitable[tuple[Any, Extent]]]

# Python's compiler holds the interpreter's lock from its first line to the last: about 20 ms for this many characters.
LONGEST_SOURCE = 100_000


@dataclass(eq=False)
class Tries:
    """How often a unit may still meet values that it doesn't support, until graphql-core completes them at once."""

    left: int = 3

    @property
    def are_used_up(self) -> bool:
        return self.left <= 0  # below zero if requests overlap


@dataclass(frozen=True)
class Unit:
    """A shape with its compiled source. `answer(value, context, variables)` completes a value, or raises.

    It returns the value with its extent, or raises `AnswerTooLarge`.

    If it `has_resolvers`, it gets a `run.Run` in place of the context, and graphql-core executes it again if it fails.

    A source that is too long isn't compiled: `answer` is None, and `recovery.py` completes the shape value by value.
    """

    shape: Shape
    answer: Answer | None
    source: str
    loading: Loading
    has_resolvers: bool = False
    is_async: bool = False  # whether a resolver always returns an awaitable
    tries: Tries = field(default_factory=Tries)

    @property
    def waits(self) -> bool:
        """Whether a batch or a resolver may have to be awaited."""
        return self.is_async or bool(self.loading.groups)


@dataclass(frozen=True)
class Options:
    """Options of the compiler.

    `some_attributes`: pass batches the attributes that this unit reads, when no other unit reads their rows.
    `is_whole`: the unit is all that the operation does.
    `keeps_datetimes`: leave datetimes unchanged, for a JSON encoder that writes them in ISO 8601.
    `believes_rows`: don't check that objects have their field's declared type, or that texts are names of the enum.
    `most_bytes`: how large the answer may be.
    """

    some_attributes: bool = True
    is_whole: bool = False
    keeps_datetimes: bool = False
    believes_rows: bool = False
    most_bytes: int = UNBOUNDED


def compile_shape(shape: Shape, options: Options) -> Unit:
    resolving = with_resolvers(shape)
    write = Writer()
    loading = Loading(write, shape, resolving, some_attributes=options.some_attributes, is_whole=options.is_whole)
    with write.block("async def answer(value, context, variables):"):
        Building(write, loading, resolving, options.keeps_datetimes, options.believes_rows).write(shape)
    source = write.source
    if len(source) <= LONGEST_SOURCE:
        answer = _compiled(source, write.names, options)
    elif resolving:
        raise Unsupported("its size")
    else:
        answer = None
    return Unit(shape, answer, source, loading, bool(resolving), any(map(_is_async, resolving)))


def _is_async(shape: Shape) -> bool:
    """Return whether a field of an object always returns an awaitable."""
    if not isinstance(shape, Object):
        return False
    return any(isinstance(field.source, Resolver) and field.source.is_async for field in shape.fields.values())


def _compiled(source: str, names: Mapping[str, Any], options: Options) -> Answer:
    checks = {
        "again": again,
        "not_one_of_these": not_one_of_these,
        "real": real,
        "yes": yes,
        "check": check,
        "Path": Path,
        "Pending": Pending,
        "is_awaitable": is_awaitable,
        "pause": checkpoint(options.most_bytes, STEP, BYTE),
    }
    sizes = {"limit": options.most_bytes, "size_of": size_of, "extent_of": Extent.of}
    namespace: dict[str, Any] = {"NOTHING": {}, **checks, **sizes, **names}
    exec(compile(source, SOURCE, "exec"), namespace)  # noqa: S102 our own source, with clients' texts quoted
    answer: Answer = namespace.pop("answer")  # from its globals, because the cycle would need a garbage collection
    return answer


def again(value: Any) -> Collection[Any]:
    """Return the value if it can be iterated twice: once for the keys, once for the response."""
    if is_collection(value):
        return value
    if isinstance(value, Exception):
        raise TypeError("not a value")
    raise Unsupported("no list, or one that is made while it is read", value)


def not_one_of_these(name: Any) -> NoReturn:
    """Raise the failure of a type resolver that returned neither of the possible types' names."""
    if is_awaitable(name):
        raise Unsupported("a type resolver that is asynchronous", name)
    raise TypeError("not a type of these")


def yes(answer: Any) -> None:
    """Raise unless the value is true."""
    if not answer or is_awaitable(answer):
        raise Unsupported("an object of another type", answer)


def real(value: Any) -> None:
    """Refuse what resolvers may return instead of a value: exceptions and awaitables."""
    if isinstance(value, Exception) or value is Undefined:
        raise TypeError("not a value")
    if is_awaitable(value):
        raise Unsupported("an awaitable", value)
