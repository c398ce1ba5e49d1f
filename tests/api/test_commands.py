"""Each mutation runs the command registered under its name, and its payload accepts the command's answer."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from mainsheet.executor import core_schema
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers.write import COMMANDS, command
from mainsheet.schema import payloads
from mainsheet.schema.api import api

MUTATIONS: Mapping[str, Any] = core_schema(api).type_map["Mutation"].fields  # type: ignore[attr-defined]  # an object type


def test_each_mutation_runs_the_command_of_its_name() -> None:
    assert set(MUTATIONS) == set(COMMANDS)
    assert all(each.name == name for name, each in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_payload_has_a_field_for_each_key_of_the_answer(name: str) -> None:
    answer = get_type_hints(COMMANDS[name].run)["return"]
    payload: Any = api.get_type_by_name(str(MUTATIONS[name].type.of_type))

    shown = payload.origin
    if COMMANDS[name].items:
        (results,) = [each for each in payload.fields if each.python_name == "results"]
        shown = results.type.of_type
    assert set(get_type_hints(answer)) <= {each.name for each in fields(shown)}


def test_a_payload_refuses_a_key_that_it_does_not_declare() -> None:
    with pytest.raises(TypeError, match="jobb_id"):
        payloads.JobPayload(jobb_id="JB1", user_errors=[])  # type: ignore[call-arg]  # what is to be refused


def test_a_name_is_registered_only_once() -> None:
    with pytest.raises(ValueError, match="createJob"):
        command("createJob", AccessScope.WRITE)(COMMANDS["updateJob"].run)
