"""Coerces the variables of an operation (specification, section "Coercing Variable Values")."""

from collections.abc import Collection, Mapping
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
    VariableValues,
    coerce_input_value,
    get_nullable_type,
    get_variable_values,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValueSource

MAX_ERRORS = 50  # graphql-core's
NO_VARIABLES = VariableValues({}, {})
SCALARS = {str, int, bool, float}
# The class of the values that a scalar coerces to themselves.
UNCHANGED: Mapping[object, type] = {GraphQLBoolean: bool, GraphQLID: str, GraphQLString: str}


class Variables:
    """Coerces the variable values of a request.

    graphql-core looks up each variable's type and default for every request. Here that is done once, and scalars are
    coerced directly. graphql-core does everything else, especially errors.
    """

    def __init__(self, schema: GraphQLSchema, definitions: Collection[VariableDefinitionNode]) -> None:
        self._schema = schema
        self._definitions = definitions
        signatures = [get_variable_signature(schema, each) for each in definitions]
        known = [each for each in signatures if not isinstance(each, GraphQLError)]
        self._signatures = [(each, each.name, UNCHANGED.get(get_nullable_type(each.type))) for each in known]
        self._has_odd_types = len(known) < len(signatures)

    def coerced(self, given: Mapping[str, Any] | None) -> VariableValues | list[GraphQLError]:
        """Return the values of the declared variables, or the errors.

        To suggest the name that was meant, each unknown one is compared with all others, in up to some milliseconds.
        """
        return get_variable_values(self._schema, self._definitions, dict(given or {}), max_errors=MAX_ERRORS)

    def valid(self, given: Mapping[str, Any] | None) -> VariableValues | None:
        """Return the values of the declared variables, or None if there are errors.

        It doesn't look for the names that were meant.
        """
        if not self._definitions:
            return NO_VARIABLES
        values = None if self._has_odd_types else self._scalars(given or {})
        return self._any(given or {}) if values is None else values

    def _scalars(self, given: Mapping[str, Any]) -> VariableValues | None:
        """Coerce scalars. Returns None if a value isn't a scalar, is refused, or is a default."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature, name, unchanged in self._signatures:
            value = given.get(name, Undefined)
            if value is Undefined:
                if signature.default or is_non_null_type(signature.type):
                    return None
                sources[name] = VariableValueSource(signature)
                continue
            kind = value.__class__
            if kind is unchanged:
                coerced[name] = value
            elif kind not in SCALARS or (made := coerce_input_value(value, signature.type)) is Undefined:
                return None
            else:
                coerced[name] = made
            sources[name] = VariableValueSource(signature, value)
        return VariableValues(sources, coerced)

    def _any(self, given: Mapping[str, Any]) -> VariableValues | None:
        values = get_variable_values(self._schema, self._definitions, dict(given), max_errors=0, hide_suggestions=True)
        return None if isinstance(values, list) else values
