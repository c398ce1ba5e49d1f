"""Facets of a long list: each is one statement, which reads no other table or index completely."""

import pytest

from mainsheet.models.database import Database
from mainsheet.resolvers.job_list import bounded_counts
from testbed.ask import Ask
from tests.scale.conftest import Big
from tests.scale.plans import through_the_tenant, walks
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
    # So that the numbers of the member's grants and of the jobs are cached.
    await ask_big(member, "{ jobs(sortBy: NAME) { facets { statuses { count } } } }")
    for wanted in FILTERS:
        own = wanted.replace("$team", big.ids["team"])
        for facet in FACETS:
            await ask_big(member, f"{{ jobs(filter: {{{own}}}) {{ facets {{ {facet} }} }} }}")

            found = await plans(big, big_database, ask_big)
            assert len(found) == 1, (wanted, facet)
            refuse_walks(found, (wanted, facet))


async def test_facets_of_a_member_with_few_of_the_jobs_read_no_others(
    big: Big, big_database: Database, ask_big: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_counts, "JOBS_FOR_GRANT", 0)
    await ask_big(big.member, "{ jobs(sortBy: NAME) { facets { statuses { count } } } }")
    for wanted in ("", 'search: "order"', "hasDraft: true"):
        for selected in (*(f"facets {{ {facet} }}" for facet in FACETS), "totalCount"):
            await ask_big(big.member, f"{{ jobs(filter: {{{wanted}}}) {{ {selected} }} }}")

            for statement, plan in (await plans(big, big_database, ask_big)).items():
                assert not [*walks(plan), *through_the_tenant(plan)], f"{statement}\n{plan}"


async def test_all_facets_cost_one_statement_each(big: Big, big_database: Database, ask_big: Ask) -> None:
    await ask_big(big.admin, f"{{ jobs {{ facets {{ {' '.join(FACETS)} }} }} }}")

    assert len(await plans(big, big_database, ask_big)) == len(FACETS)
