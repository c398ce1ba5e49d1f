"""`@oneOf` inputs are validated before execution, and errors have their location."""

import pytest
from graphql import GraphQLError, parse, validate

from mainsheet.executor import core_schema
from mainsheet.schema.api import api
from mainsheet.server.operations.documents import RULES
from testbed.ask import Ask, Failed, job_input
from testbed.world import World

CREATE = """
mutation ($input: CreateJobInput!{variable}) {{
  a: createJob(input: $input) {{ job {{ id }} }}
  b: createJob(input: {{
    jobKey: "b", name: "b", teamIds: ["TM1"], config: {{ clusterId: "CL1", source: {source} }}
  }}) {{ job {{ id }} }}
}}
"""
BOTH = '{ sqlSnapshot: { sql: "SELECT 1" }, pythonFile: { path: "a.py" } }'
EXACTLY_ONE = "Within OneOf Input Object type 'JobSourceInput', exactly one field must be specified"
SQL = {"sql": "SELECT 1"}


def errors_of(source: str, variable: str = "") -> list[GraphQLError]:
    return validate(core_schema(api), parse(CREATE.format(source=source, variable=variable)), RULES)


@pytest.mark.parametrize("source", [BOTH, "{}", "{ sqlSnapshot: null }"])
def test_a_literal_that_breaks_one_of_has_its_location(source: str) -> None:
    (error,) = errors_of(source)

    assert error.message.startswith(EXACTLY_ONE)
    assert error.locations
    assert error.locations[0].line == 5


def test_a_nullable_variable_is_refused_in_one_of() -> None:
    (error,) = errors_of("{ sqlSnapshot: $sql }", ", $sql: SqlSnapshotSourceInput")

    assert "'SqlSnapshotSourceInput'" in error.message
    assert "$sql" in error.message


def test_a_non_null_variable_is_accepted_in_one_of() -> None:
    assert errors_of("{ sqlSnapshot: $sql }", ", $sql: SqlSnapshotSourceInput!") == []


async def test_a_literal_that_breaks_one_of_stops_all_mutations(ask: Ask, world: World) -> None:
    with pytest.raises(Failed, match="exactly one field must be specified"):
        await ask(world.contributor, CREATE.format(source=BOTH, variable=""), input=job_input(world))

    assert (await ask(world.contributor, "{ jobs { totalCount } }"))["jobs"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ({"sqlSnapshot": SQL, "pythonFile": {"path": "a.py"}}, "source"),
        ({}, "source"),
        ({"sqlSnapshot": None}, "source"),
        ({"sqlSnapshot": None, "pythonFile": None}, "source"),
    ],
)
async def test_a_variable_that_breaks_one_of_has_its_path(ask: Ask, world: World, source: object, place: str) -> None:
    wanted = job_input(world, config={"clusterId": world.cluster.id, "source": source})
    text = "mutation ($input: CreateJobInput!) { createJob(input: $input) { job { id } } }"

    with pytest.raises(Failed) as failed:
        await ask(world.contributor, text, input=wanted)

    error = failed.value.errors[0]
    assert error.message.startswith(f"Variable '$input' has invalid value at .config.{place}")
    assert error.locations
    assert (error.locations[0].line, error.locations[0].column) == (1, 11)
