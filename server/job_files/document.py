"""A job document: the GraphQL input `JobDocumentInput`, and what a document means."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLNonNull, Undefined, assert_input_object_type, get_named_type

from mainsheet.executor import core_schema
from mainsheet.models.input_values import normal
from mainsheet.schema.api import api

Document = Mapping[str, Any]

DOCUMENT = GraphQLNonNull(assert_input_object_type(core_schema(api).type_map["JobDocumentInput"]))
SETS = ("teams", "tags")


def brief(document: Mapping[str, Any], type_: GraphQLInputObjectType = DOCUMENT.of_type) -> Document:
    """Return the document without what the input doesn't have, nulls, and values that equal the input's default."""
    made: Document = _brief(document, type_)
    return made


def is_same(document: Document, exported: Document) -> bool:
    """Return whether applying the document to the exported job changes nothing. An omitted status stays as it is."""
    own, other = _meaning(document), _meaning(exported)
    return own == (other if "status" in own else {name: each for name, each in other.items() if name != "status"})


def _meaning(document: Document) -> dict[str, Any]:
    values = normal(brief(document))
    return {**values, **{name: sorted(set(values.get(name, ()))) for name in SETS}}


def _brief(value: Any, type_: Any) -> Any:
    if isinstance(value, list):
        return [_brief(each, type_) for each in value]
    if not isinstance(type_, GraphQLInputObjectType):
        return value
    made = {
        name: _brief(each, get_named_type(type_.fields[name].type))
        for name, each in value.items()
        if name in type_.fields and each is not None and not _is_default(each, type_.fields[name])
    }
    return {name: each for name, each in made.items() if each != {}}


def _is_default(value: Any, field: Any) -> bool:
    default = field.default_value
    return default is not Undefined and value == getattr(default, "value", default)
