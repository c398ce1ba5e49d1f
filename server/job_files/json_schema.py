"""The JSON Schema of a document, for editors. It is made from a GraphQL input, and describes the same fields."""

from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    get_named_type,
    is_required_input_field,
)

SCALARS = {"Boolean": "boolean", "Float": "number", "ID": "string", "Int": "integer", "String": "string"}


def json_schema(document: GraphQLNonNull[Any], title: str) -> bytes:
    definitions: dict[str, Any] = {}
    root = _type(document, definitions)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **root, "$defs": definitions}
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _type(type_: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(type_, GraphQLNonNull):
        return _not_null(type_.of_type, definitions)
    return {"anyOf": [_not_null(type_, definitions), {"type": "null"}]}


def _not_null(type_: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(type_, GraphQLList):
        return {"type": "array", "items": _type(type_.of_type, definitions)}
    if isinstance(type_, GraphQLEnumType):
        return {"enum": list(type_.values)}
    if isinstance(type_, GraphQLInputObjectType):
        if type_.name not in definitions:
            definitions[type_.name] = {}  # a type that contains itself refers to it
            definitions[type_.name] = _object(type_, definitions)
        return {"$ref": f"#/$defs/{type_.name}"}
    return {"type": SCALARS[get_named_type(type_).name]}


def _object(type_: GraphQLInputObjectType, definitions: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "description": type_.description,
        "properties": {name: _field(field, definitions) for name, field in type_.fields.items()},
        "required": [name for name, field in type_.fields.items() if is_required_input_field(field)],
        "additionalProperties": False,
    }
    return made | ({"minProperties": 1, "maxProperties": 1} if type_.is_one_of else {})


def _field(field: GraphQLInputField, definitions: dict[str, Any]) -> dict[str, Any]:
    default = field.default_value
    shown = {} if default is Undefined else {"default": getattr(default, "value", default)}
    return {"description": field.description, **_type(field.type, definitions), **shown}
