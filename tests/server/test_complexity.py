from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_introspection_query,
    parse,
)

from mainsheet.executor import core_schema
from mainsheet.schema.api import api
from mainsheet.server.operations.complexity import Extent, Limits, cost_of, extent_of, too_complex, too_large
from mainsheet.server.operations.documents import operation_of
from tests.server.conftest import Serve

SCHEMA = build_schema("""
    type Query {
        item: Item
        items(limit: Int, first: Int, last: Int): Items!
        plain: [Item!]!
        byIds(ids: [ID!]!): [Item]!
    }
    type Items { nodes: [Item!]!  edges: [Edge!]!  totalCount: Int! }
    type Edge { node: Item! }
    type Item { name: String  item: Item  items(limit: Int, first: Int, last: Int): Items! }
""")
ROOMY = 10**15
FRAGMENTS = 60
FAN_OUT = "{ ...F0 }" + "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(FRAGMENTS))
FAN_OUT += f" fragment F{FRAGMENTS} on Query {{ item {{ name }} }}"


def limits(**some: int) -> Limits:
    return Limits(**{"depth": ROOMY, "fields": ROOMY, "cost": ROOMY, "tokens": ROOMY, "values": ROOMY, **some})


def extent(query: str) -> Extent:
    document = parse(query)
    return extent_of(document, operation_of(document, None))


def cost(query: str, variables: dict[str, Any] | None = None, schema: GraphQLSchema = SCHEMA) -> int:
    document = parse(query)
    return cost_of(schema, document, operation_of(document, None))(variables or {})


@pytest.mark.parametrize(
    ("query", "depth"),
    [
        ("{ item { name } }", 2),
        ("{ item { name item { name } } }", 3),
        ("{ ... on Query { item { ... { name } } } }", 2),
        ("{ item { item { item { name } } } plain { name } }", 4),
    ],
)
def test_depth_counts_fields_below_fields(query: str, depth: int) -> None:
    assert extent(query).depth == depth


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("{ item { name } }", 2),
        ("{ a: item { name } b: item { name } }", 4),
        ("{ item { ... { name } } __typename }", 3),
    ],
)
def test_aliases_are_fields(query: str, fields: int) -> None:
    assert extent(query).fields == fields


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ item { name } }", 2),
        ("{ items(limit: 7) { totalCount nodes { name } } }", 1 + 1 + 7 * 2),
        ("{ items { nodes { name } } }", 1 + 100 * 2),
        ("{ items(first: 3) { edges { node { name } } } }", 1 + 3 * 3),
        ("{ items(last: 0) { nodes { name } } }", 1),
        ("{ items(limit: -5) { nodes { name } } }", 1),
        ("query($n: Int) { items(limit: $n) { nodes { name } } }", 1 + 100 * 2),
        ("{ plain { name } }", 10 * 2),
        ('{ byIds(ids: ["1", "2", "3"]) { name } }', 3 * 2),
        ("query($ids: [ID!]!) { byIds(ids: $ids) { name } }", 100 * 2),
        ("{ items(limit: 5) { nodes { items(limit: 6) { nodes { name } } } } }", 1 + 5 * (1 + 1 + 6 * 2)),
    ],
)
def test_cost_multiplies_by_the_sizes_of_lists(query: str, expected: int) -> None:
    assert cost(query) == expected


NESTED = "query($n: Int, $m: Int) { items(limit: $n) { nodes { items(first: $m) { nodes { name } } name } } }"


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("query($n: Int) { items(limit: $n) { nodes { name } } }", {"n": 7}, 1 + 7 * 2),
        ("query($n: Int) { items(limit: $n) { nodes { name } } }", {"n": None}, 1 + 100 * 2),
        ("query($n: Int) { items(limit: $n) { nodes { name } } }", {"n": -1}, 1),
        ("query($n: Int) { items(limit: $n) { nodes { name } } }", {"n": 10**40}, 10**12),
        ("query($n: Int) { items(limit: $n) { nodes { name } } }", {"n": 1e300}, 10**12),
        ("query($n: Int) { items(limit: $n, first: 9) { nodes { name } } }", {"n": 7}, 1 + 9 * 2),
        ("query($ids: [ID!]!) { byIds(ids: $ids) { name } }", {"ids": ["1", "2"]}, 2 * 2),
        (NESTED, {"n": 5, "m": 6}, 1 + 5 * (1 + 1 + 6 * 2 + 1)),
        (NESTED, {"n": 5, "m": 0}, 1 + 5 * (1 + 1 + 1)),
        (NESTED, {"n": 0, "m": 6}, 1),
        (NESTED, {"m": 6}, 1 + 100 * (1 + 1 + 6 * 2 + 1)),
    ],
)
def test_cost_is_a_function_of_the_variables(query: str, variables: dict[str, Any], expected: int) -> None:
    assert cost(query, variables) == expected


def test_a_fragment_weighs_what_its_content_weighs() -> None:
    spread = "{ items(limit: 4) { ...F } } fragment F on Items { nodes { name } }"
    written_out = "{ items(limit: 4) { nodes { name } } }"

    assert extent(spread) == extent(written_out)
    assert cost(spread) == cost(written_out)


def refused(document: DocumentNode, some: Limits) -> list[GraphQLError]:
    operation = operation_of(document, None)
    price = {"cost": cost_of(SCHEMA, document, operation)({})}
    return [*too_large(document, some), *too_complex(price, some, operation)]


@pytest.mark.parametrize(("limit", "is_refused"), [(2, False), (1, True)])
@pytest.mark.parametrize("measure", ["depth", "fields", "cost"])
def test_a_limit_allows_its_own_value(measure: str, limit: int, is_refused: bool) -> None:
    errors = refused(parse("{ item { name } }"), limits(**{measure: limit}))

    assert [error.extensions for error in errors] == (
        [{"code": "QUERY_TOO_COMPLEX", "measure": measure, "limit": 1, "actual": 2}] if is_refused else []
    )


def test_a_fragment_that_is_not_used_counts_too() -> None:
    assert too_large(parse("{ item { name } } fragment F on Query { item { item { name } } }"), limits(depth=2))


def test_each_fragment_is_weighed_once_however_often_it_is_spread() -> None:
    errors = too_large(parse(FAN_OUT), limits(fields=2_000))

    assert errors
    assert "fields 1000000000000, at most 2000" in errors[0].message


def test_a_recursive_fragment_terminates() -> None:
    query = "{ item { ...F } } fragment F on Item { name item { ...F } }"

    assert too_large(parse(query), limits()) == []


def test_introspection_of_the_playground_passes_with_the_default_limits() -> None:
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )

    assert too_large(parse(query), limits(depth=20, fields=2_000)) == []
    assert cost(query, schema=core_schema(api)) <= 1_000_000


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("", 5), ("(count: 0)", 0), ("(count: 100)", 100), ('(after: "2026-01-01T00:00:00Z")', 5), ("(count: $n)", 7)],
)
def test_a_fire_time_costs_a_hundred_fields(arguments: str, expected: int) -> None:
    query = f"query($n: Int!) {{ job(id: 1) {{ currentVersion {{ schedule {{ nextFireTimes{arguments} }} }} }} }}"

    assert cost(query, {"n": 7}, core_schema(api)) == 3 + 100 * expected


VERSION = "{{ job(id: 1) {{ currentVersion {{ {} }} }} }}"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("environment { value }", 100 * (1 + 9)),
        ("dependencies { condition }", 100 * 2),
        ("changes { path }", 300 * (1 + 4)),
        ("changes { before { ... on TextValue { text } } }", 300 * (1 + 1 + 9)),
        ("source { ... on SqlSnapshotSource { sql } }", 1 + 9),
        ("source { ... on PythonFileSource { arguments } }", 1 + 100 * 9),
        ("source { ... on SavedQueriesSource { queries { sql } queryIds } }", 1 + 50 * (1 + 9) + 50),
        ("message", 2),
        ("job { description }", 1 + 2),
    ],
)
def test_lists_and_long_texts_cost_their_maximum_size(selection: str, expected: int) -> None:
    assert cost(VERSION.format(selection), schema=core_schema(api)) == 2 + expected


BATCHES = [
    ({"n": {"jobs": [{}] * 3}}, "$n", 3),
    ({}, "$n", 100),
    ({"n": [{}] * 3}, "{jobs: $n, dryRun: true}", 3),
    ({}, "{jobs: [{}, {}]}", 2),
]


@pytest.mark.parametrize(("variables", "given", "size"), BATCHES)
def test_the_results_of_a_batch_cost_the_length_of_its_input(variables: dict[str, Any], given: str, size: int) -> None:
    document = f"mutation ($n: UpdateJobsInput!) {{ updateJobs(input: {given}) {{ results {{ job {{ id }} }} }} }}"

    assert cost(document, variables, schema=core_schema(api)) == 1 + size * 3


EXAMPLES = sorted((Path(__file__).parents[2] / "playground/examples").glob("*.graphql"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_playground_examples_cost_under_a_tenth_of_the_limit(example: Path) -> None:
    document = parse(example.read_text("utf-8"))

    costs = [
        cost_of(core_schema(api), document, each)({})
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
    ]

    assert 0 < max(costs) < 100_000


async def test_the_error_has_the_limit_and_the_actual_value(serve: Serve) -> None:
    server = await serve(max_cost=50)

    response = await server.post("{ things(limit: 60) { nodes { name } } }")

    (error,) = (await response.json())["errors"]
    assert error["message"] == "The query is too complex: cost 121, at most 50. Ask for less at once."
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX", "measure": "cost", "limit": 50, "actual": 121}


async def test_variable_values_count_for_the_cost_limit(serve: Serve) -> None:
    server, query = await serve(max_cost=50), "query($n: Int!) { things(limit: $n) { nodes { name } } }"

    cheap, dear = [await (await server.post(query, variables={"n": n})).json() for n in (20, 60)]

    assert cheap == {"data": {"things": {"nodes": []}}}
    assert [error["extensions"]["actual"] for error in dear["errors"]] == [121]
