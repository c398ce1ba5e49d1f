"""The playground's own operations, and its examples with their variables, fit the schema."""

import json
import re
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, is_input_type, parse, print_ast, type_from_ast, validate
from graphql.utilities import coerce_input_value

from mainsheet.executor import core_schema
from mainsheet.schema.api import api

PLAYGROUND = Path(__file__).parents[2] / "playground"
SOURCES = [*sorted(PLAYGROUND.glob("src/**/*.ts")), *sorted(PLAYGROUND.glob("src/**/*.tsx"))]
OPERATION = re.compile(r"`((?:query|mutation|subscription) [^`$]*\([^`]*|(?:query|mutation) [^`]*)`")
OWN = [(path.name, text) for path in SOURCES for text in OPERATION.findall(path.read_text())]
EXAMPLES = sorted(PLAYGROUND.glob("examples/*.graphql"))
SCHEMA = core_schema(api)


@pytest.mark.parametrize(("name", "text"), OWN, ids=lambda each: each.split("(")[0])
def test_an_operation_of_the_page_is_valid(name: str, text: str) -> None:
    assert [error.message for error in validate(SCHEMA, parse(text))] == []


def test_the_operations_of_the_page_are_found() -> None:
    assert len(OWN) >= 6


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_with_its_variables(path: Path) -> None:
    document = parse(path.read_text())
    variables = json.loads(re.sub(r'"<number of [^>]*>"', "1", path.with_suffix(".json").read_text()))
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]

    assert [error.message for error in validate(SCHEMA, document)] == []
    for definition in [each for node in operations for each in node.variable_definitions or ()]:
        input_type = type_from_ast(SCHEMA, definition.type)
        assert is_input_type(input_type), print_ast(definition.type)
        if definition.variable.name.value in variables:
            coerce_input_value(variables[definition.variable.name.value], input_type)
