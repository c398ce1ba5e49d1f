"""No mutation scans a whole table, in a database that is large enough to show it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import assert_object_type
from sqlalchemy import text

from mainsheet.executor import core_schema
from mainsheet.models.database import Database
from mainsheet.models.roles import AccessScope
from mainsheet.schema.api import api
from testbed.ask import Ask
from testbed.world import World, caller
from tests.scale.conftest import Big
from tests.scale.lists import filled
from tests.scale.test_plans import plans, refuse_all_of_the_tenant

SQL = {"sqlSnapshot": {"sql": "SELECT 1"}}
DELETE_JOB = "mutation ($id: ID!) { deleteJob(input: {jobId: $id}) { deletedJobId userErrors { message } } }"
DEPENDENCIES = text(
    """INSERT INTO job_version_dependency (id, organization_id, version_id, position, depends_on_id, condition)
  SELECT 'JD' || place, organization_id, id, place, CAST(:upstream AS VARCHAR), 'ON_SUCCESS'
  FROM job_version CROSS JOIN generate_series(1, 5000) AS places(place) WHERE job_id = :own"""
)
FIELDS = {"createJob": "job { id }", "deleteJob": "deletedJobId", "updateOrganization": "organization { name }"}
RUN = "run { id }"
RESULTS = "results { userErrors { message } }"
FIELDS |= dict.fromkeys(("triggerRun", "releaseRun", "cancelRun"), RUN)
FIELDS |= dict.fromkeys(("updateJobs", "applyJobs", "reportRuns", "createScheduledRuns"), RESULTS)
for noun in ("SavedQuery", "Team", "Cluster"):
    FIELDS |= dict.fromkeys((f"create{noun}", f"update{noun}"), f"{noun[0].lower()}{noun[1:]} {{ id }}")
    FIELDS[f"delete{noun}"] = f"deleted{noun}Id"
FIELDS |= {"eraseMember": "member { id }", "claimRuns": f"runs {{ attempt {RUN} }}", "deleteRun": "deletedRunId"}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("updateJob", {"name": "Other", "status": "PAUSED"}),
    ("createDraft", {"changes": {"maxRetries": 1}}),
    ("updateDraft", {"changes": {"dependencies": [{"jobId": "$job"}]}}),
    ("publishDraft", {"message": "Now"}),
    ("createVersion", {"changes": {"clusterId": "$cluster", "dependencies": []}, "idempotencyKey": "once"}),
    ("activateVersion", {"number": 2}),
    ("createDraft", {}),
    ("discardDraft", {}),
    ("addTeamsToJob", {"teamIds": ["$other"]}),
    ("removeTeamFromJob", {"teamId": "$other"}),
    ("deleteJob", {}),
)


TRIED = {"createDraft", "updateDraft", "publishDraft", "createVersion", "activateVersion"}  # with a dry run before


OF_RUNS = ("triggerRun", "releaseRun", "claimRuns", "reportRuns", "cancelRun", "deleteRun", "createScheduledRuns")
OF_MANY = ("updateJobs", "applyJobs")
# They change tables that stay small, and have tests of their own if they read large ones.
OF_SMALL_TABLES = re.compile(
    r"(Member|ServiceAccount|AccessToken|Team|Cluster|SavedQuery|TeamRole|FromTeam|Webhook|WebhookSecret)$"
)


def test_every_mutation_is_tested() -> None:
    known = {"createJob", "cloneJob", "updateOrganization", *(name for name, _ in STEPS), *OF_RUNS, *OF_MANY}
    others = set(assert_object_type(core_schema(api).mutation_type).fields) - known

    assert {name for name in others if not OF_SMALL_TABLES.search(name)} == set()


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_a_mutation_scans_no_table(big: Big, big_database: Database, ask_big: Ask, role: str) -> None:
    created = {"jobKey": f"big-{role}", "name": "Big", "teamIds": [big.ids["team"]]}
    config = {"clusterId": big.ids["cluster"], "source": SQL, "dependencies": [{"jobId": big.ids["job"]}]}
    answer = await _take(big, big_database, ask_big, role, "createJob", created | {"config": config})
    for name, given in STEPS:
        own = {"jobId": answer["job"]["id"]} | filled(given, big.ids)
        if name in TRIED:
            await _take(big, big_database, ask_big, role, name, own | {"dryRun": True})
        await _take(big, big_database, ask_big, role, name, own)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_deletion_scans_no_table_if_all_depend_on_one_job(database_url: str, ask: Ask, world: World) -> None:
    """PostgreSQL counts sequential scans, also those of its checks of foreign keys."""
    own, upstream, deleted = [await ask.create_job(world.admin, world, jobKey=key) for key in ("own", "up", "old")]
    database = Database.open(database_url, pool_size=1)  # so that the deletion and the counts have the same session
    async with database.writes.begin() as connection:
        await connection.execute(DEPENDENCIES, {"own": own, "upstream": upstream})
        await connection.execute(text("ANALYZE job_version_dependency"))
    before = await _sequential_scans(database)
    await Ask(database)(world.admin, DELETE_JOB, id=deleted)
    after = await _sequential_scans(database)
    await database.close()

    assert after == before


async def _sequential_scans(database: Database) -> int:
    """Count those of the table of dependencies so far, in this session."""
    async with database.writes.connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        await connection.rollback()
        found = text("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'job_version_dependency'")
        return int(await connection.scalar(found) or 0)


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_a_copy_or_a_batch_scans_no_table(big: Big, big_database: Database, ask_big: Ask, role: str) -> None:
    job_id, key = big.ids["job"], f"copy-{role}"
    copy = {"jobId": job_id, "jobKey": key, "name": "Copy", "teamIds": [big.ids["team"]]}
    config = {"cluster": await _name(ask_big, big, "cluster"), "source": SQL}
    document = {"jobKey": f"{key}-2", "name": "New", "teams": [await _name(ask_big, big, "team")], "config": config}

    await _take(big, big_database, ask_big, role, "cloneJob", copy)
    await _take(big, big_database, ask_big, role, "updateJobs", {"jobs": [{"jobId": job_id, "name": "Other"}]})
    await _take(big, big_database, ask_big, role, "applyJobs", {"jobs": [document]})


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_runs_scan_no_table(big: Big, big_database: Database, ask_big: Ask, role: str) -> None:
    job_id, cluster = big.ids["job"], big.ids["cluster"]

    async def take(name: str, **given: Any) -> Any:
        return await _take(big, big_database, ask_big, role, name, given)

    first, second = [(await take("triggerRun", jobId=job_id, hold=True))["run"]["id"] for _ in range(2)]
    await take("releaseRun", runId=first)
    claims = (await take("claimRuns", clusterIds=[cluster]))["runs"]
    reports = [{"runId": each["run"]["id"], "attempt": each["attempt"], "state": "SUCCEEDED"} for each in claims]
    assert first in [each["runId"] for each in reports]
    await take("reportRuns", reports=reports)
    await take("cancelRun", runId=second)
    for run_id in (first, second):
        await take("deleteRun", runId=run_id)
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await take("createScheduledRuns", runs=[{"jobId": job_id, "scheduledFor": at, "hold": True}])


async def _name(ask: Ask, big: Big, kind: str) -> str:
    found = await ask(big.admin, f"query ($id: ID!) {{ it: {kind}(id: $id) {{ name }} }}", id=big.ids[kind])
    name: str = found["it"]["name"]
    return name


async def test_changes_of_what_jobs_use_scan_no_table(big: Big, big_database: Database, ask_big: Ask) -> None:
    async def take(mutation: str, /, **given: Any) -> Any:
        return await _take(big, big_database, ask_big, "admin", mutation, given)

    query = {"teamId": big.ids["team"], "name": "Big", "sql": "SELECT 1"}
    query_id = (await take("createSavedQuery", **query))["savedQuery"]["id"]
    await take("updateSavedQuery", savedQueryId=query_id, sql="SELECT 2")
    await take("deleteSavedQuery", savedQueryId=query_id)
    for noun in ("Team", "Cluster"):
        made = await take(f"create{noun}", name="Big")
        await take(f"delete{noun}", **{f"{noun.lower()}Id": made[noun.lower()]["id"]})


async def test_erasing_a_member_scans_no_table(big: Big, big_database: Database, ask_big: Ask) -> None:
    await _take(big, big_database, ask_big, "admin", "eraseMember", {"memberId": big.member.id, "dryRun": True})


async def test_update_organization_scans_no_table(big: Big, big_database: Database, ask_big: Ask) -> None:
    await _take(big, big_database, ask_big, "admin", "updateOrganization", {"name": "Big", "dryRun": True})


async def _take(big: Big, database: Database, ask: Ask, role: str, name: str, given: dict[str, Any]) -> Any:
    """Run the step and check the plans of all its statements."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    answer = f"{FIELDS.get(name, 'job { id }')} userErrors {{ message }}"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {answer} }} }}"
    asker = replace(caller(getattr(big, role)), scopes=frozenset(AccessScope))
    payload = (await ask(asker, query, input=given))[name]
    assert payload["userErrors"] == []
    assert all(each["userErrors"] == [] for each in payload.get("results", ()))
    refuse_all_of_the_tenant(await plans(big, database, ask), name)
    return payload
