"""Completes a failed operation value by value, with the path of each error and the propagation of nulls.

The compiled source can't do this because it ends at the first error. If several errors make the same position null, the
first one is reported: in the order of levels, and within a level in the order of the document.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from graphql import ExecutionResult, GraphQLError, Undefined, VariableValues, located_error
from graphql.execution.executor import Executor as Reference
from graphql.pyutils import is_awaitable

from mainsheet.executor.arguments import Arguments, Refused
from mainsheet.executor.bounds import COMMA, ENTRY, STEP_BY_VALUE, UNBOUNDED, AnswerTooLarge, check, size_of
from mainsheet.executor.compiler import Unit, again, yes
from mainsheet.executor.finished import checkpoint
from mainsheet.executor.leaves import Leaf
from mainsheet.executor.loading import Group
from mainsheet.executor.shape import (
    Abstract,
    Attribute,
    Call,
    Field,
    Joined,
    Link,
    ListOf,
    Object,
    Shape,
    TypeName,
    link_of,
)
from mainsheet.executor.unsupported import Unsupported, is_coroutine, value_of


@dataclass(eq=False, slots=True)  # not frozen: that makes it three times as slow to create
class Position:
    """The position of a value in the response: `holder[key]`. It never changes.

    `type_name` is the type of the object that holds it, if it is one of several.
    """

    holder: Any
    key: str | int
    nullable: bool
    above: "Position | None" = None
    type_name: str | None = None

    @property
    def path(self) -> list[str | int]:
        return [*self.above.path, self.key] if self.above else []

    def name_of(self, field: Field) -> str:
        """Return the name of the field that this position is in, as `Type.field`."""
        if isinstance(self.key, int) and self.above:
            return self.above.name_of(field)
        return f"{self.type_name}.{field.name.split('.')[1]}" if self.type_name else field.name

    @property
    def is_there(self) -> bool:
        """Return whether the position still exists, that is, nothing above it has become null."""
        return self.has_holder and (self.above is None or self.above.is_there)

    @property
    def has_holder(self) -> bool:
        """Return whether the object or list around it is still in its own position."""
        return self.above is None or self.above.holder[self.above.key] is self.holder


class Recovery:
    """Completes one operation. Results that the context remembers aren't loaded again."""

    def __init__(
        self,
        unit: Unit,
        context: Any,
        variables: VariableValues,
        most_bytes: int = UNBOUNDED,
        failure: Exception | None = None,
    ) -> None:
        self._unit = unit
        self._context = context
        self._variables = variables
        self._most_bytes = most_bytes
        self._pause = checkpoint(most_bytes, STEP_BY_VALUE)
        self._size = 0
        self._refused = {failure.arguments: failure.error} if isinstance(failure, Refused) else {}
        self._errors: list[GraphQLError] = []
        self._waiting: dict[Field, list[tuple[Position, Any]]] = defaultdict(list)
        self._todo: list[tuple[Position, Field, Shape | None, Any]] = []  # the last is next; no shape: its parent

    @property
    def left(self) -> list[object]:
        """The values that weren't completed."""
        return [value for *_, value in self._todo]

    async def answer(self, root: Any) -> ExecutionResult:
        """Return the result. Raises `AnswerTooLarge`, or `Unsupported` if a value isn't of its field's kind.

        graphql-core then executes the operation, because it supports more kinds.
        """
        try:
            return await self._answer(root)
        finally:
            # The errors' tracebacks refer to this object. If it referred to the errors, they and all that they refer to
            # would be freed by the garbage collection only, which runs rarely.
            self._errors, self._refused = [], {}

    async def _answer(self, root: Any) -> ExecutionResult:
        shape, whole = self._unit.shape, dict[str, Any]()
        assert isinstance(shape, Object)  # noqa: S101 for the type checker: operations are
        self._object(Position(whole, "data", nullable=True), shape, root)
        await self._finish()
        for group in self._unit.loading.groups:
            await self._ask(group)
        check(self._size, self._most_bytes)
        return ExecutionResult(whole["data"], self._errors or None)

    async def _ask(self, group: Group) -> None:
        waiting = [(field, *each) for field in group.fields for each in self._waiting[field] if each[0].is_there]
        try:
            answers = await self._answers(group, [*dict.fromkeys(key for _, _, key in waiting)]) if waiting else {}
        except Exception as error:  # noqa: BLE001 any exception is an error of each field
            for field, position, _ in waiting:
                self._fail(field, position, error)
        else:
            self._todo = [
                (position, field, field.shape, answers.get(key)) for field, position, key in reversed(waiting)
            ]
            await self._finish()

    async def _finish(self) -> None:
        """Complete the values in `_todo` and all below them that need no relation, in the order of the document."""
        todo = self._todo
        top: float = self._size + STEP_BY_VALUE
        while todo:
            position, field, shape, value = todo.pop()
            if position.has_holder:
                if shape is None:
                    self._field(position, field, value)
                else:
                    self._complete(field, position, shape, value)
            elif is_coroutine(value):
                raise Unsupported("a coroutine", value)  # graphql-core awaits it, too
            if self._size > top:
                top = await self._pause(self._size)

    async def _answers(self, group: Group, keys: list[Any]) -> Mapping[Any, Any]:
        link = link_of(group.fields[0])
        question = [link.arguments(self._variables)] if link.arguments and link.relation.key else []
        return await link.relation.answers(self._context, keys, *question, **self._unit.loading.asked(group))

    def _object(self, position: Position, shape: Object, value: Any, type_name: str | None = None) -> None:
        made = position.holder[position.key] = dict.fromkeys(shape.fields)
        self._count(len("".join(made)) + ENTRY * len(made))
        for key in reversed(made):
            field = shape.fields[key]
            self._todo.append((Position(made, key, field.shape.nullable, position, type_name), field, None, value))

    def _field(self, position: Position, field: Field, parent: Any) -> None:
        try:
            value = self._read(field, parent, position)
            if isinstance(field.source, Link) and (value is not None or field.source.relation.key is None):
                self._waiting[field].append((position, value))
                return
        except Unsupported:
            raise
        except Exception as error:  # noqa: BLE001 any exception is an error of this field
            self._fail(field, position, error)
        else:
            self._complete(field, position, field.shape, value)

    def _read(self, field: Field, parent: Any, position: Position) -> Any:
        """Return a field's value, or its key if a relation loads it."""
        match field.source:
            case TypeName(name):
                return name or position.type_name
            case Attribute(name) | Joined(name):
                return getattr(parent, name)
            case Call(function, takes_self, names, arguments):
                given = self._given(arguments) if arguments else {}
                return function(*[parent] * takes_self, **dict.fromkeys(names, parent), **given)
            case Link(relation, arguments):
                question = self._given(arguments) if arguments else None  # here, since it may be refused
                return attrgetter(relation.key)(parent) if relation.key else question

    def _given(self, arguments: Arguments) -> Any:
        if arguments not in self._refused:
            try:
                return arguments(self._variables)
            except Refused as refusal:
                self._refused[arguments] = refusal.error
        raise self._refused[arguments]

    def _complete(self, field: Field, position: Position, shape: Shape, value: Any) -> None:
        try:
            if isinstance(value, Exception):
                self._fail(field, position, value)
            elif value is not None and value is not Undefined:
                self._put(field, position, shape, value)
            elif not position.nullable:
                name = position.name_of(field)
                self._fail(field, position, TypeError(f"Cannot return null for non-nullable field {name}."))
        except (AnswerTooLarge, Unsupported):
            raise
        except Exception as error:  # noqa: BLE001 the value's own methods may raise any, such as those of a lazy list
            self._fail(field, position, error)

    def _put(self, field: Field, position: Position, shape: Shape, value: Any) -> None:
        if is_awaitable(value):
            raise Unsupported("an awaitable", value)
        match shape:
            case Leaf(type=type_):
                made = Reference.complete_leaf_value(type_, value)
                if is_awaitable(made):
                    raise Unsupported("a scalar that is written asynchronously", made)
                position.holder[position.key] = made
                self._count(size_of(made))
            case ListOf(item=item):
                values = [*iter(again(value))]  # not of `value`: its `__len__` may fail, or be wrong
                made = position.holder[position.key] = [None] * len(values)
                self._count(COMMA * len(made))
                positions = [Position(made, index, item.nullable, position) for index in range(len(made))]
                self._todo.extend(
                    reversed([(each, field, item, of) for each, of in zip(positions, values, strict=True)])
                )
            case Object() | Abstract():
                found, name = _object_of(shape, value)
                self._object(position, found, value, name)

    def _count(self, size: int) -> None:
        self._size += size
        check(self._size, self._most_bytes)

    def _fail(self, field: Field, position: Position, error: Exception) -> None:
        if position.is_there:
            self._errors.append(_located(error, field, position))
            position.holder[position.key] = None
            while position.above and not position.nullable:
                position = position.above
                position.holder[position.key] = None


def _located(error: Exception, field: Field, position: Position) -> GraphQLError:
    """Return the error of a field. If its text fails, graphql-core reports another error, of a position above."""
    try:
        return located_error(error, field.nodes, position.path)
    except Exception as failure:
        raise Unsupported("an exception without a text") from failure


def _object_of(shape: Object | Abstract, value: Any) -> tuple[Object, str | None]:
    """Return a value's shape, and the name of its type if there are several."""
    found, name = shape, None
    try:
        if isinstance(found, Abstract):
            name = found.type_of(value)
            found = found.objects[name]
        if found.is_type_of:
            yes(found.is_type_of(value))
    except Exception as error:
        raise Unsupported("an object of another type", value_of(error)) from error
    return found, name
