"""Constraints of the database, which no statement can violate."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mainsheet.models.database import Database
from testbed.ask import Ask, config
from testbed.world import World

CREATE_VERSION = "mutation ($input: CreateVersionInput!) { createVersion(input: $input) { userErrors { code } } }"

# There are two jobs, and `first` has two versions. Each statement would violate one constraint.
BREAKS = {
    "two drafts": "UPDATE job_version SET status = 'DRAFT', published_at = NULL, published_by_id = NULL",
    "one number twice": "UPDATE job_version SET number = 1",
    "one key twice": "UPDATE job SET job_key = 'first'",
    "a current version that isn't there": "UPDATE job SET current_number = 7, last_number = 7",
    "a current version that was never numbered": "UPDATE job SET current_number = last_number + 1",
    "a first version before the first": "UPDATE job_version SET number = number - 1",
    "published, but not by anybody": "UPDATE job_version SET published_by_id = NULL",
    "published, but never": "UPDATE job_version SET published_at = NULL",
    "half a schedule": "UPDATE job_version SET cron = '0 0 * * *'",
    "a number of runs without ALLOW": "UPDATE job_version SET max_concurrent_runs = 2",
    "ALLOW without a number of runs": "UPDATE job_version SET cron = '0 0 * * *', timezone = 'UTC',"
    " concurrency_policy = 'ALLOW', missed_schedule_policy = 'SKIP'",
    "ALLOW for no run": "UPDATE job_version SET cron = '0 0 * * *', timezone = 'UTC',"
    " concurrency_policy = 'ALLOW', max_concurrent_runs = 0, missed_schedule_policy = 'SKIP'",
    "too many retries": "UPDATE job_version SET max_retries = 11",
    "another's organization": "UPDATE job SET organization_id = :organization",
    "another organization's author": "UPDATE job SET created_by_id = :member",
    "another organization's cluster": "UPDATE job_version SET cluster_id = :cluster",
    "another organization's team": "UPDATE job_team SET team_id = :team",
    "a grant of a job of another time": "UPDATE job_team SET job_created_at = '2001-01-01 00:00:00+00'",
    "a job of another time than its grants": "UPDATE job SET created_at = '2001-01-01 00:00:00+00'",
    "another organization's query": "UPDATE job_version_query SET query_id = :query",
    "another organization's member in a team": "UPDATE team_member SET actor_id = :member WHERE role = 'ADMIN'",
    "another organization's actor": "UPDATE event SET actor_id = :member",
    "a dependency on no job": "UPDATE job_version_dependency SET depends_on_id = 'JB0'",
    "a dependency on nothing": "UPDATE job_version_dependency SET depends_on_id = NULL",
    "a dependency on two jobs": "UPDATE job_version_dependency SET deleted_job_id = depends_on_id",
    "a dependency on no deleted job": "UPDATE job_version_dependency SET deleted_job_id = 'JB0', depends_on_id = NULL",
    "a job removed from others' versions": "DELETE FROM job WHERE job_key = 'first'",
    "a version of no job": "UPDATE job_version SET job_id = 'JB0'",
    "an event twice": "UPDATE event SET id = 'EV1'",
    "a status of no job": "UPDATE job SET status = 'DELETED'",
    "a status of no version": "UPDATE job_version SET status = 'ARCHIVED'",
    "a status of no cluster": "UPDATE cluster SET status = 'GONE'",
    "a role of no team": "UPDATE team_member SET role = 'OWNER'",
    "a role of no organization": "UPDATE actor SET organization_role = 'OWNER'",
    "an email in capitals": "UPDATE actor SET email = upper(email)",
    "an email twice": "UPDATE actor SET email = 'ada@example.com'",
}


@pytest.fixture
async def ids(ask: Ask, world: World) -> Mapping[str, str]:
    """Create the jobs and return the ids of the other organization."""
    source = {"savedQueries": {"queryIds": [world.queries[0].id]}}
    first = await ask.create_job(world.contributor, world, jobKey="first", config=config(world, source=source))
    waiting = config(world, dependencies=[{"jobId": first}])
    await ask.create_job(world.contributor, world, jobKey="second", config=waiting)
    made = await ask(world.contributor, CREATE_VERSION, input={"jobId": first, "changes": {"maxRetries": 1}})
    assert made["createVersion"]["userErrors"] == []
    foreign = world.foreign
    return {
        "organization": foreign.organization.id,
        "member": foreign.admin.id,
        "cluster": foreign.cluster.id,
        "team": foreign.team.id,
        "query": foreign.query.id,
    }


async def test_constraints_refuse_invalid_rows(database: Database, ids: Mapping[str, str]) -> None:
    kept = [rule for rule, statement in BREAKS.items() if not await is_refused(database, statement, ids)]

    assert kept == []


async def is_refused(database: Database, statement: str, ids: Mapping[str, str]) -> bool:
    try:
        async with database.writes.begin() as connection:
            changed = await connection.execute(text(statement), ids if ":" in statement else {})
            assert changed.rowcount, statement
    except IntegrityError:
        return True
    return False
