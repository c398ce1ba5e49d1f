"""No query of the API scans a whole table of jobs, versions, runs or events."""

from collections.abc import Mapping
from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.resolvers.job_list import access_paths, bounded_counts
from testbed.ask import Ask
from tests.api.test_statement_counts import FROM_LISTS, FROM_ROOT, WAYS, leaf_of, selection
from tests.scale.conftest import Big, Steps
from tests.scale.lists import connections, filled, lists
from tests.scale.plans import sorts, through_teams, through_the_tenant, walks

LISTS = {name: [each for each in lists() if (each.owner, each.name) == name] for name in sorted(connections())}
ROLES = ["admin", "member"]
MOST_STEPS = 6000  # thousands for two pages: twice what a member's list of all runs takes
POINTS = (
    'job(id: "%s") { name currentVersion { cluster { name } } }',
    'jobByKey(jobKey: "fleet-0000001-x") { id }',
    'node(id: "%s") { id }',
    'nodes(ids: ["%s", "JB1"]) { id }',
    'nodes(ids: ["JV1", "JV2", "JR1", "JR2", "JE1", "JE2", "TM1", "MB1", "CL1", "SQ1", "OR1"]) { id }',
    *(f'node(id: "{prefix}1") {{ id }}' for prefix in ("JV", "JR", "EV", "TM", "MB", "CL", "SQ", "OR")),
)


NO_PLAN = ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET", "show")


async def plans(big: Big, database: Database, ask: Ask) -> Mapping[str, str]:
    """Return the plan of each statement that was recorded."""
    statements = [each for each in ask.statements if not each.startswith(NO_PLAN)]
    return {each: await big.plans.of(database, each) for each in statements}


def refuse_walks(found: Mapping[str, str], said: Any) -> None:
    for statement, plan in found.items():
        assert not walks(plan), f"{said}\n{statement}\n{plan}"


def refuse_all_of_the_tenant(found: Mapping[str, str], said: Any) -> None:
    refuse_walks(found, said)
    for statement, plan in found.items():
        assert not through_the_tenant(plan), f"{said}\n{statement}\n{plan}"


def test_every_list_is_tested() -> None:
    asked = {name: [variables for each in own for variables in each.variables()] for name, own in LISTS.items()}

    assert all(asked.values())
    assert len(asked["Query", "jobs"]) > 30


async def test_plans_that_scan_tables_are_detected(big: Big, big_database: Database) -> None:
    walked = await big.plans.of(big_database, "SELECT count(*) FROM job_run WHERE trigger = 'MANUAL'")
    counted = await big.plans.of(big_database, "SELECT count(job_id) FROM job_team")
    sorted_ = await big.plans.of(big_database, "SELECT id FROM job WHERE organization_id = 'OR' ORDER BY description")
    looked_up = await big.plans.of(big_database, "SELECT name FROM job WHERE id = 'JB'")
    granted = await big.plans.of(big_database, "SELECT job_id FROM job_team WHERE team_id = 'TM'")

    assert walks(walked)
    assert walks(counted)  # a full scan of an index is no better
    assert walks(sorted_) or through_the_tenant(sorted_)
    assert through_the_tenant("SEARCH job USING INDEX ix_job_organization_created (organization_id=?)")
    assert sorts(sorted_)
    assert not [*walks(looked_up), *through_the_tenant(looked_up)]
    assert through_teams(granted)
    assert not sorts(looked_up)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", LISTS, ids=".".join)
async def test_a_page_of_a_list_scans_no_table(
    big: Big, big_database: Database, ask_big: Ask, steps: Steps, name: tuple[str, str], role: str
) -> None:
    for each in LISTS[name]:
        for own in each.variables():
            variables = filled(own, big.ids) | {id_: value for id_, value in big.ids.items() if f"${id_}" in each.query}
            steps.thousands = 0
            data = await ask_big(getattr(big, role), each.query, **variables, limit=20)
            refuse_walks(await plans(big, big_database, ask_big), (each, own))
            if cursor := _cursor(data):  # backwards is the other direction, and a later page differs only in numbers
                await ask_big(getattr(big, role), each.query, **variables, first=20, after=cursor)
                refuse_walks(await plans(big, big_database, ask_big), (each, own))
            assert steps.thousands < MOST_STEPS, (each, own)


def _cursor(data: Any) -> str | None:
    if isinstance(data, dict):
        return data.get("endCursor") or next(filter(None, map(_cursor, data.values())), None)
    return next(filter(None, map(_cursor, data)), None) if isinstance(data, list) else None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("direction", ["first: 20", 'first: 20, after: "%s"', "last: 20", "limit: 20, page: 3"])
async def test_a_page_of_the_organization_is_read_in_order(
    big: Big, big_database: Database, ask_big: Ask, direction: str, role: str
) -> None:
    """The scan ends when the page is full. The member sees many jobs."""
    for sort in ("CREATED_AT", "UPDATED_AT", "JOB_KEY", "NAME", "LATEST_RUN_AT"):
        first = await ask_big(big.admin, f"{{ jobs(first: 9, sortBy: {sort}) {{ pageInfo {{ endCursor }} }} }}")
        arguments = direction.replace("%s", first["jobs"]["pageInfo"]["endCursor"])
        query = f"{{ jobs({arguments}, sortBy: {sort}) {{ nodes {{ id }} }} }}"
        await ask_big(getattr(big, role), query)
        await ask_big(getattr(big, role), query)  # so that the number of the member's grants is cached

        (plan,) = (await plans(big, big_database, ask_big)).values()
        if role == "member" and sort == "CREATED_AT":  # only the first jobs of the member's teams are sorted
            assert "ix_job_team_team" in plan
        elif role == "member":  # the member's jobs are sorted only if a scan doesn't fill the page
            assert len(through_the_tenant(plan)) <= 1, plan
        else:
            assert not sorts(plan), plan
        assert not walks(plan), plan


async def test_the_feed_of_a_member_looks_up_the_job_of_each_event(
    big: Big, big_database: Database, ask_big: Ask
) -> None:
    await ask_big(big.member, "{ events(first: 20) { nodes { id } } }")

    for plan in (await plans(big, big_database, ask_big)).values():
        assert not [*walks(plan), *through_teams(plan)], plan


async def test_jobs_of_teams_are_few_for_a_member_with_few_grants(
    big: Big, big_database: Database, ask_big: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_paths, "MANY", 10_000)
    for sort in ("CREATED_AT", "NAME"):
        await ask_big(big.member, f"{{ teams {{ nodes {{ jobs(first: 2, sortBy: {sort}) {{ nodes {{ id }} }} }} }} }}")

        found = await plans(big, big_database, ask_big)
        refuse_walks(found, sort)
        (plan,) = [plan for statement, plan in found.items() if "granted" in statement]
        assert len(through_teams(plan)) == 1, plan  # the grants of the member's own teams


@pytest.mark.parametrize("role", ROLES)
async def test_a_point_read_scans_no_table(big: Big, big_database: Database, ask_big: Ask, role: str) -> None:
    for point in POINTS:
        query = f"{{ {point.replace('%s', big.ids['job'])} }}"
        await ask_big(getattr(big, role), query)
        refuse_all_of_the_tenant(await plans(big, big_database, ask_big), query)


@pytest.mark.parametrize("size", [1, 10])
async def test_a_relation_scans_no_table(big: Big, big_database: Database, ask_big: Ask, size: int) -> None:
    for owner, name in (*FROM_LISTS, *FROM_ROOT):
        query = f"{{ {selection(WAYS[owner].path, leaf_of(owner, name), limit=size)} }}"
        await ask_big(big.member, query)
        refuse_walks(await plans(big, big_database, ask_big), query)


@pytest.mark.parametrize("text", ["warehouse", "zq", "e"])
@pytest.mark.parametrize("role", ROLES)
async def test_a_search_uses_its_index(big: Big, big_database: Database, ask_big: Ask, role: str, text: str) -> None:
    query = f'{{ jobs(filter: {{search: "{text}"}}, limit: 20) {{ nodes {{ id }} totalCount }} }}'
    await ask_big(getattr(big, role), query)

    found = await plans(big, big_database, ask_big)
    searches = [plan for statement, plan in found.items() if Job.search_text.key in statement]
    assert len(searches) == 2
    assert ["job_search" in plan for plan in searches] == [role == "admin", True]  # a member's page reads the grants


@pytest.mark.parametrize("role", ROLES)
async def test_a_far_page_skips_index_entries_and_not_rows(
    big: Big, big_database: Database, ask_big: Ask, role: str
) -> None:
    for _ in range(2):  # so that the number of the member's grants is cached
        await ask_big(getattr(big, role), "{ jobs(limit: 20, page: 100) { nodes { name } } }")

    (plan,) = (await plans(big, big_database, ask_big)).values()
    assert "job USING COVERING INDEX" in plan or '"Node Type":"Index Only Scan"' in plan


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ("hasDraft: true", "uq_job_version_one_draft"),
        ('search: "orders"', "job_search"),
        ('search: "or"', "job_search"),
        ("latestRunStatuses: [RUNNING]", "ix_job_organization_latest_run_status"),
        ('updatedSince: "2026-01-01T00:00:00Z"', "ix_job_organization_updated"),
        ('teamIds: ["$team"]', "ix_job_team_team"),
    ],
)
async def test_a_filtered_page_scans_first_then_uses_an_index(
    big: Big, big_database: Database, ask_big: Ask, role: str, wanted: str, index: str
) -> None:
    query = f"{{ jobs(limit: 20, filter: {{{wanted.replace('$team', big.ids['team'])}}}) {{ nodes {{ id }} }} }}"
    for _ in range(2):
        await ask_big(getattr(big, role), query)

    (plan,) = (await plans(big, big_database, ask_big)).values()
    is_narrow = wanted.startswith(("teamIds", "latestRunStatuses", "hasDraft"))
    assert "ix_job_organization_created" in plan
    assert index in plan if role == "admin" or is_narrow else "ix_job_team_team" in plan


@pytest.mark.parametrize("wanted", ["hasDraft: true", 'search: "orders"', "sourceKinds: [PYTHON_FILE]"])
async def test_a_filtered_page_of_a_member_with_few_of_the_jobs_reads_no_others(
    big: Big, big_database: Database, ask_big: Ask, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grants are sorted, not the jobs: these are read one by one until the page is full."""
    monkeypatch.setattr(bounded_counts, "JOBS_FOR_GRANT", 0)
    for _ in range(2):  # so that the numbers of grants and jobs are cached
        await ask_big(big.member, f"{{ jobs(first: 20, filter: {{{wanted}}}) {{ nodes {{ id }} }} }}")

    found = await plans(big, big_database, ask_big)
    refuse_all_of_the_tenant(found, wanted)
    (plan,) = found.values()
    assert "ix_job_team_team" in plan
    assert "in_order" in plan


@pytest.mark.parametrize(("name", "role"), [("teams", "admin"), ("clusters", "admin"), ("clusters", "member")])
async def test_pages_of_many_parents_number_no_other_rows(
    big: Big, big_database: Database, ask_big: Ask, name: str, role: str
) -> None:
    await ask_big(getattr(big, role), f"{{ {name}(limit: 5) {{ nodes {{ jobs(first: 10) {{ nodes {{ id }} }} }} }} }}")

    (statement,) = (each for each in ask_big.statements if "FROM job" in each)
    plan = await big.plans.of(big_database, statement)
    assert not walks(plan)
    assert "WindowAgg" not in plan
    assert "row_number" not in statement
