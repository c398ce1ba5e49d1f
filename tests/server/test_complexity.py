import pytest
from graphql import build_schema, get_introspection_query, parse, validate

from executor import core_schema
from schema.api import api
from server.complexity import Limits, rule
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


def _measured(query: str, measure: str) -> int:
    """What the rule says of a query that is over a limit of 0."""
    too_complex = rule(Limits(**{"depth": ROOMY, "fields": ROOMY, "cost": ROOMY, measure: 0}))
    (error,) = validate(SCHEMA, parse(query), [too_complex])
    assert error.extensions is not None
    actual: int = error.extensions["actual"]
    return actual


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
    assert _measured(query, "depth") == depth


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("{ item { name } }", 2),
        ("{ a: item { name } b: item { name } }", 4),
        ("{ item { ... { name } } __typename }", 3),
    ],
)
def test_aliases_are_fields(query: str, fields: int) -> None:
    assert _measured(query, "fields") == fields


@pytest.mark.parametrize(
    ("query", "cost"),
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
def test_cost_multiplies_by_the_sizes_of_lists(query: str, cost: int) -> None:
    assert _measured(query, "cost") == cost


@pytest.mark.parametrize("measure", ["depth", "fields", "cost"])
def test_a_fragment_weighs_what_its_content_weighs(measure: str) -> None:
    spread = "{ items(limit: 4) { ...F } } fragment F on Items { nodes { name } }"
    written_out = "{ items(limit: 4) { nodes { name } } }"

    assert _measured(written_out, measure) > 0
    # The fragment alone is a definition too, and over a limit of 0: what matters is the operation.
    too_complex = rule(Limits(**{"depth": ROOMY, "fields": ROOMY, "cost": ROOMY, measure: 0}))
    operation, _fragment = validate(SCHEMA, parse(spread), [too_complex])
    assert operation.extensions is not None
    assert operation.extensions["actual"] == _measured(written_out, measure)


@pytest.mark.parametrize(("limit", "is_refused"), [(2, False), (1, True)])
@pytest.mark.parametrize("measure", ["depth", "fields", "cost"])
def test_a_limit_allows_its_own_value(measure: str, limit: int, is_refused: bool) -> None:
    too_complex = rule(Limits(**{"depth": ROOMY, "fields": ROOMY, "cost": ROOMY, measure: limit}))

    errors = validate(SCHEMA, parse("{ item { name } }"), [too_complex])

    assert [error.extensions for error in errors] == (
        [{"code": "QUERY_TOO_COMPLEX", "measure": measure, "limit": 1, "actual": 2}] if is_refused else []
    )


def test_each_fragment_is_weighed_once_however_often_it_is_spread() -> None:
    errors = validate(SCHEMA, parse(FAN_OUT), [rule(Limits(ROOMY, 2_000, ROOMY))])

    assert errors
    assert "fields 1000000000000, at most 2000" in errors[0].message


def test_a_fragment_within_itself_ends() -> None:
    query = "{ item { ...F } } fragment F on Item { name item { ...F } }"

    assert validate(SCHEMA, parse(query), [rule(Limits(ROOMY, ROOMY, ROOMY))]) == []


def test_introspection_of_the_playground_passes_with_the_default_limits() -> None:
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )

    assert validate(core_schema(api), parse(query), [rule(Limits(20, 2_000, 1_000_000))]) == []


@pytest.mark.parametrize(
    ("arguments", "cost"),
    [("", 5), ("(count: 0)", 0), ("(count: 100)", 100), ('(after: "2026-01-01T00:00:00Z")', 5), ("(count: $n)", 100)],
)
def test_a_time_at_which_a_job_fires_costs_a_hundred_fields(arguments: str, cost: int) -> None:
    query = f"query($n: Int!) {{ job(id: 1) {{ currentVersion {{ schedule {{ nextFireTimes{arguments} }} }} }} }}"

    errors = validate(core_schema(api), parse(query), [rule(Limits(ROOMY, ROOMY, 0))])

    assert errors[0].extensions is not None
    assert errors[0].extensions["actual"] == 3 + 100 * cost


async def test_the_client_learns_the_limit_and_what_it_asked_for(serve: Serve) -> None:
    server = await serve(max_cost=50)

    response = await server.post("{ things(limit: 60) { nodes { name } } }")

    (error,) = (await response.json())["errors"]
    assert error["message"] == "The query is too complex: cost 121, at most 50. Ask for less at once."
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX", "measure": "cost", "limit": 50, "actual": 121}
