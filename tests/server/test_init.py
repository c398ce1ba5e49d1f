"""`mainsheet init` makes an organization with an administrator, who creates the first job without SQL."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.organization import Organization
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


@pytest.fixture
async def database(database_url: str) -> Any:
    database = Database.open(database_url)
    yield database
    await database.close()


async def test_the_first_job_needs_no_sql(database: Database, database_url: str) -> None:
    done = mainsheet("init", "--organization", "acme", "--admin", ADMIN, MAINSHEET_DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    authenticator = Authenticator(database, LastUse(database), issuer=None)
    caller = await authenticator.caller(f"Bearer {done.stdout.strip()}")
    await authenticator.close()
    assert caller
    ask = Ask(database)

    who = await ask(caller, WHO)
    assert who["organization"] == {"name": "acme"}
    assert who["me"] == {"actor": {"displayName": ADMIN, "organizationRole": "ADMIN", "email": ADMIN}}
    assert who["events"]["nodes"] == [{"action": "MEMBER_CREATED"}]
    made = await ask(caller, CREATE, team={"name": "data"}, cluster={"name": "prod", "region": "eu-west-1"})
    config = {"clusterId": made["createCluster"]["cluster"]["id"], "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    job = {"jobKey": "first", "name": "First", "teamIds": [made["createTeam"]["team"]["id"]], "config": config}
    created = (await ask(caller, CREATE_JOB, input=job))["createJob"]
    assert created["userErrors"] == []
    assert created["job"]["revision"] == 1


async def test_a_second_run_changes_nothing(database: Database) -> None:
    await first_organization.create(database, "acme", ADMIN, None)

    with pytest.raises(BadInput, match=r"token create --member .* --organization OR"):
        await first_organization.create(database, " acme ", ADMIN.upper(), None)

    async with database.reads.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(Organization)) == 1


@pytest.mark.parametrize(("name", "email", "field"), [("", ADMIN, "name"), ("acme", "nobody", "email")])
async def test_invalid_values_are_refused(database: Database, name: str, email: str, field: str) -> None:
    with pytest.raises(BadInput, match=f"^{field}: Must be"):
        await first_organization.create(database, name, email, timedelta(days=1))
