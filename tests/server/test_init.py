"""`mainsheet init` makes an organization with an administrator, who creates the first job without SQL."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.organization import Organization
from mainsheet.resolvers.caller import Caller
from mainsheet.server.auth import first_organization
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.last_use import LastUse
from testbed.ask import CREATE_JOB, Ask
from tests.server.commands import mainsheet

ADMIN = "ada@acme.example"
CREATE = """mutation ($team: CreateTeamInput!, $cluster: CreateClusterInput!) {
  createTeam(input: $team) { team { id } } createCluster(input: $cluster) { cluster { id } } }"""
WHO = """{ organization { name } me { actor { displayName organizationRole ... on Member { email } } }
  events(first: 5) { nodes { action } } }"""

ACCOUNT = 'mutation { createServiceAccount(input: {name: "worker"}) { serviceAccount { id } } }'
JOIN = "mutation ($input: SetTeamRoleInput!) { setTeamRole(input: $input) { userErrors { code } } }"
TOKEN = """mutation ($input: CreateAccessTokenInput!) {
  createAccessToken(input: $input) { secret userErrors { code } } }"""
TRIGGER = "mutation ($input: TriggerRunInput!) { triggerRun(input: $input) { userErrors { code } } }"
CLAIM = "mutation ($input: ClaimRunsInput!) { claimRuns(input: $input) { runs { attempt } userErrors { code } } }"


async def test_the_first_job_needs_no_sql(database: Database, database_url: str) -> None:
    done = mainsheet("init", "--organization", "acme", "--admin", ADMIN, MAINSHEET_DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    caller = await authenticated(database, done.stdout.strip())
    ask = Ask(database)

    who = await ask(caller, WHO)
    assert who["organization"] == {"name": "acme"}
    assert who["me"] == {"actor": {"displayName": ADMIN, "organizationRole": "ADMIN", "email": ADMIN}}
    assert who["events"]["nodes"] == [{"action": "MEMBER_CREATED"}, {"action": "TOKEN_CREATED"}]
    made = await ask(caller, CREATE, team={"name": "data"}, cluster={"name": "prod", "region": "eu-west-1"})
    config = {"clusterId": made["createCluster"]["cluster"]["id"], "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    job: dict[str, Any] = {
        "jobKey": "first",
        "name": "First",
        "teamIds": [made["createTeam"]["team"]["id"]],
        "config": config,
    }
    created = (await ask(caller, CREATE_JOB, input=job))["createJob"]
    assert created["userErrors"] == []
    assert created["job"]["revision"] == 1
    worker = await a_worker(ask, caller, job["teamIds"][0])
    await ask(caller, TRIGGER, input={"jobId": created["job"]["id"]})
    claimed = (await ask(worker, CLAIM, input={"clusterIds": [config["clusterId"]]}))["claimRuns"]
    assert claimed == {"runs": [{"attempt": 1}], "userErrors": []}


async def authenticated(database: Database, secret: str) -> Caller:
    authenticator = Authenticator(database, LastUse(database))
    caller = await authenticator.caller(f"Bearer {secret}")
    await authenticator.close()
    assert caller
    return caller


async def a_worker(ask: Ask, admin: Caller, team_id: str) -> Caller:
    """Return a new service account that may execute the team's jobs, by its token of the scope RUNS."""
    account = (await ask(admin, ACCOUNT))["createServiceAccount"]["serviceAccount"]["id"]
    await ask(admin, JOIN, input={"teamId": team_id, "actorId": account, "role": "CONTRIBUTOR"})
    made = await ask(admin, TOKEN, input={"name": "worker", "actorId": account, "scopes": ["RUNS"]})
    assert made["createAccessToken"]["userErrors"] == []
    return await authenticated(ask.database, made["createAccessToken"]["secret"])


async def test_a_second_run_changes_nothing(database: Database) -> None:
    await first_organization.create(database, "acme", ADMIN, None)

    with pytest.raises(BadInput, match=r"token create --member .* --organization OR"):
        await first_organization.create(database, " acme ", ADMIN.upper(), None)

    async with database.reads.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(Organization)) == 1


async def test_two_at_once_make_one_organization(database: Database) -> None:
    made = await asyncio.gather(
        *(first_organization.create(database, "acme", ADMIN, None) for _ in range(3)), return_exceptions=True
    )

    assert sorted(isinstance(each, BadInput) for each in made) == [False, True, True]
    async with database.reads.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(Organization)) == 1


@pytest.mark.parametrize(("name", "email", "field"), [("", ADMIN, "name"), ("acme", "nobody", "email")])
async def test_invalid_values_are_refused(database: Database, name: str, email: str, field: str) -> None:
    with pytest.raises(BadInput, match=f"^{field}: Must be"):
        await first_organization.create(database, name, email, timedelta(days=1))
