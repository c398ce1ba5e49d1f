"""Coercion of a field's arguments. What doesn't depend on the request is done once."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    VariableValues,
    get_argument_values,
    is_non_null_type,
    print_ast,
)

Convert = Callable[[dict[str, Any]], Any]


class Refused(Exception):
    """The arguments of a field can't be coerced or converted. `error` gives the reason."""

    def __init__(self, arguments: "Arguments", error: Exception) -> None:
        super().__init__(arguments, error)
        self.arguments = arguments
        self.error = error

    def __str__(self) -> str:  # when it is asked for: the text of an application's exception may fail
        return str(self.error)


class Arguments:
    """Coerces the arguments of one field (specification, section "Coercing Field Arguments") and converts them.

    Arguments made of literals alone are cached if `reusable`, so the resolver must not change them. Nothing that
    depends on a request's variables is kept.

    graphql-core looks up each argument and its default at every call. If all arguments that were given are variables
    with values, and the others have no default, that isn't needed: a variable's value is the argument's.
    """

    def __init__(self, field: GraphQLField, node: FieldNode, convert: Convert, *, reusable: bool) -> None:
        self._field = field
        self._node = node
        self._convert = convert
        self._variables = _variables(field, node)
        self._is_constant = reusable and not any(_has_variables(each.value) for each in node.arguments or ())
        self._made: Any = Undefined
        self.text = ", ".join([*sorted(map(print_ast, node.arguments or ())), *_defaults(field)])

    def __call__(self, variables: VariableValues) -> Any:
        """Return the coerced and converted arguments. Raises `Refused`."""
        if self._made is not Undefined:
            return self._made
        try:
            made = self._convert(self._coerced(variables))
        except Exception as error:
            raise Refused(self, error) from error
        if self._is_constant:
            self._made = made
        return made

    def _coerced(self, variables: VariableValues) -> dict[str, Any]:
        values, own = variables.coerced, {}
        for name, variable in self._variables:
            value = values.get(variable)
            if value is None:
                break
            own[name] = value
        else:
            if own:
                return own
        return get_argument_values(self._field, self._node, variables)


def _variables(field: GraphQLField, node: FieldNode) -> Sequence[tuple[str, str]]:
    """Return the names of the arguments with those of their variables. Empty if there are other values or defaults."""
    given = {each.name.value: each.value for each in node.arguments or ()}
    names = []
    for name, argument in field.args.items():
        value = given.get(name)
        if isinstance(value, VariableNode):
            names.append((argument.out_name or name, value.name.value))
        elif value is not None or not _may_be_missing(argument):
            return ()
    return names


def _may_be_missing(argument: GraphQLArgument) -> bool:
    has_default = argument.default or argument.default_value is not Undefined
    return not has_default and not is_non_null_type(argument.type)


def _defaults(field: GraphQLField) -> Iterator[str]:
    """Return the defaults, which distinguish two fields whose arguments have the same text."""
    for name, argument in field.args.items():
        yield f"{name} = {argument.default or argument.default_value!r}"


def _has_variables(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variables, value.values))
        case ObjectValueNode():
            return any(_has_variables(each.value) for each in value.fields)
    return False
