"""No read of the API goes through a whole table of jobs, versions, runs or events, however the database is asked."""

from typing import Any

import pytest

from models.database import Database
from models.job import Job
from tests.api.ask import Ask
from tests.api.test_statement_counts import FROM_LISTS, FROM_ROOT, WAYS, leaf_of, selection
from tests.scale.conftest import Big
from tests.scale.lists import List, connections, lists
from tests.scale.plans import walks

LISTS = list(lists())
ROLES = ["admin", "member"]
POINTS = (
    'job(id: "%s") { name currentVersion { cluster { name } } }',
    'jobByKey(jobKey: "fleet-0000001-x") { id }',
    'node(id: "%s") { id }',
    'nodes(ids: ["%s", "JB1"]) { id }',
    'nodes(ids: ["JV1", "JV2", "JR1", "JR2", "JE1", "JE2", "TM1", "MB1", "CL1", "SQ1", "OR1"]) { id }',
    *(f'node(id: "{prefix}1") {{ id }}' for prefix in ("JV", "JR", "JE", "TM", "MB", "CL", "SQ", "OR")),
)


async def refuse_walks(big: Big, database: Database, ask: Ask, said: str) -> None:
    for statement in ask.statements:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            plan = await big.plans.of(database, statement)
            assert not walks(plan), f"{said}\n{statement}\n{plan}"


def test_every_list_is_asked_for() -> None:
    assert {each.name for each in LISTS} == {name for _, name in connections()}
    assert len(LISTS) > 60


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_a_page_of_a_list_walks_through_no_table(
    big: Big, big_database: Database, ask_big: Ask, listed: List, role: str
) -> None:
    for order in listed.orders:
        fixed = [part for part in (order, listed.conditions) if part]
        cursor = await _page(big, big_database, ask_big, listed.asked(", ".join([*fixed, "limit: 20"])), role)
        if cursor:  # backwards is the other direction, a later page another number
            after = f'first: 20, after: "{cursor}"'
            await _page(big, big_database, ask_big, listed.asked(", ".join([*fixed, after])), role)


async def _page(big: Big, database: Database, ask: Ask, query: str, role: str) -> str | None:
    """Return the cursor of the page's end, having seen how it is read."""
    data = await ask(getattr(big, role), query, **_variables(big, query))
    await refuse_walks(big, database, ask, query)
    return _cursor(data)


def _variables(big: Big, query: str) -> dict[str, str]:
    return {name: value for name, value in big.ids.items() if f"${name}" in query}


def _cursor(data: Any) -> str | None:
    if isinstance(data, dict):
        return data.get("endCursor") or next(filter(None, map(_cursor, data.values())), None)
    return next(filter(None, map(_cursor, data)), None) if isinstance(data, list) else None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("point", POINTS)
async def test_a_point_read_walks_through_no_table(
    big: Big, big_database: Database, ask_big: Ask, point: str, role: str
) -> None:
    query = f"{{ {point.replace('%s', big.ids['job'])} }}"
    await ask_big(getattr(big, role), query)
    await refuse_walks(big, big_database, ask_big, query)


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize(("owner", "name"), [*FROM_LISTS, *FROM_ROOT], ids=lambda each: each)
async def test_a_relation_walks_through_no_table(
    big: Big, big_database: Database, ask_big: Ask, owner: str, name: str, size: int
) -> None:
    query = f"{{ {selection(WAYS[owner].path, leaf_of(owner, name), limit=size)} }}"
    await ask_big(big.member, query)
    await refuse_walks(big, big_database, ask_big, query)


@pytest.mark.parametrize("text", ["warehouse", "zq", "e"])
@pytest.mark.parametrize("role", ROLES)
async def test_a_search_is_looked_up(big: Big, big_database: Database, ask_big: Ask, role: str, text: str) -> None:
    query = f'{{ jobs(filter: {{search: "{text}"}}, limit: 20) {{ nodes {{ id }} totalCount }} }}'
    await ask_big(getattr(big, role), query)

    plans = [await big.plans.of(big_database, each) for each in ask_big.statements if Job.search_text.key in each]
    assert len(plans) == 2
    assert all("job_search" in plan for plan in plans)
