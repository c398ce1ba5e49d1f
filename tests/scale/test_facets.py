"""Facets of a long list: each is one statement, which reads no other table or index completely."""

import pytest

from mainsheet.models.database import Database
from testbed.ask import Ask
from tests.scale.conftest import Big
from tests.scale.test_plans import ROLES, plans, refuse_walks

FACETS = (
    "statuses { count }",
    "teams { count }",
    "clusters { count }",
    "tags { count }",
    "latestRunStatuses { count }",
)
FILTERS = ("", 'search: "order"', "statuses: [PAUSED]", 'teamIds: ["$team"]', 'tagsAnyOf: ["daily"]', "hasDraft: true")


@pytest.mark.parametrize("role", ROLES)
async def test_facets_scan_no_table(big: Big, big_database: Database, ask_big: Ask, role: str) -> None:
    member = getattr(big, role)
    # So that the number of the member's grants is cached.
    await ask_big(member, "{ jobs(limit: 0, sortBy: NAME) { nodes { id } } }")
    for wanted in FILTERS:
        own = wanted.replace("$team", big.ids["team"])
        for facet in FACETS:
            await ask_big(member, f"{{ jobs(filter: {{{own}}}) {{ facets {{ {facet} }} }} }}")

            found = await plans(big, big_database, ask_big)
            assert len(found) == 1, (wanted, facet)
            refuse_walks(found, (wanted, facet))


async def test_all_facets_cost_one_statement_each(big: Big, big_database: Database, ask_big: Ask) -> None:
    await ask_big(big.admin, f"{{ jobs {{ facets {{ {' '.join(FACETS)} }} }} }}")

    assert len(await plans(big, big_database, ask_big)) == len(FACETS)
