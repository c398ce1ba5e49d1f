"""A field's arguments: what doesn't depend on the request is done once."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    VariableValues,
    get_argument_values,
    print_ast,
)

REMEMBERED = 64
LONGEST = 100

Convert = Callable[[dict[str, Any]], Any]


class Refused(Exception):
    """The values of a field's arguments can't be coerced or converted: `error` says why."""

    def __init__(self, arguments: "Arguments", error: Exception) -> None:
        super().__init__(str(error))
        self.arguments = arguments
        self.error = error


class Arguments:
    """Coerces the arguments of one field (specification, section "Coercing Field Arguments") and converts them.

    What was made of the same values of the variables is given again if `reusable`: nobody may change it.
    """

    def __init__(self, field: GraphQLField, node: FieldNode, convert: Convert, *, reusable: bool) -> None:
        self._field = field
        self._node = node
        self._convert = convert
        self._reusable = reusable
        self._variables = tuple(sorted({name for each in node.arguments or () for name in _variables(each.value)}))
        self._known: dict[Any, Any] = {}
        self.text = ", ".join([*sorted(map(print_ast, node.arguments or ())), *_defaults(field)])

    def __call__(self, variables: VariableValues) -> Any:
        """Raise `Refused`."""
        try:
            return self._found(variables) if self._reusable else self._made(variables)
        except Exception as error:
            raise Refused(self, error) from error

    def _found(self, variables: VariableValues) -> Any:
        given = variables.coerced
        values = [given.get(name, Undefined) for name in self._variables]
        if not are_small(values):
            return self._made(variables)
        key = (*values, *map(type, values))  # 1 and True are equal, and different values
        return self._known[key] if key in self._known else self._remembered(key, self._made(variables))

    def _made(self, variables: VariableValues) -> Any:
        return self._convert(get_argument_values(self._field, self._node, variables))

    def _remembered(self, key: Any, made: Any) -> Any:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[key] = made
        return made


def are_small(values: Iterable[Any]) -> bool:
    """Whether values are worth remembering: scalars, and no long texts. No floats: 0.0 and -0.0 are equal."""
    return all(
        value is None
        or value is Undefined
        or (len(value) <= LONGEST if isinstance(value, str) else isinstance(value, int))
        for value in values
    )


def _defaults(field: GraphQLField) -> Iterator[str]:
    """What distinguishes two fields whose arguments are written alike."""
    for name, argument in field.args.items():
        yield f"{name} = {argument.default or argument.default_value!r}"


def _variables(value: ValueNode) -> Iterator[str]:
    match value:
        case VariableNode():
            yield value.name.value
        case ListValueNode():
            for item in value.values:
                yield from _variables(item)
        case ObjectValueNode():
            for field in value.fields:
                yield from _variables(field.value)
