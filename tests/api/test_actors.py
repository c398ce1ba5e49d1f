"""Members and service accounts: both are actors."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.roles import TeamRole
from mainsheet.models.service_account import ServiceAccount
from testbed.ask import CREATE_JOB, Ask, job_input
from testbed.world import World, make_membership, make_service_account

AUTHOR = """query ($id: ID!) { job(id: $id) {
  createdBy { __typename id displayName ... on Member { email } ... on ServiceAccount { name } } updatedBy { id }
} }"""
VIEWER = "{ me { id actor { __typename id displayName organizationRole status revision } teams { nodes { name } } } }"
LISTS = """{ members { totalCount nodes { displayName } }
  serviceAccounts { totalCount nodes { name teams { edges { role node { name } } } } } }"""
BY_ID = """query ($id: ID!) { member(id: $id) { id } serviceAccount(id: $id) { id }
  node(id: $id) { __typename ... on Actor { displayName } } }"""
OF_TEAM = """query ($id: ID!) { team(id: $id) {
  members { nodes { name } } serviceAccounts { totalCount edges { role node { name } } } } }"""


@pytest.fixture
async def account(database: Database, world: World) -> ServiceAccount:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        account = await make_service_account(session, world.organization, name="deployer")
        await make_membership(session, world.data_eng, account, TeamRole.CONTRIBUTOR)
        return account


async def test_a_service_account_is_the_author_of_its_changes(ask: Ask, world: World, account: ServiceAccount) -> None:
    job_id = (await ask(account, CREATE_JOB, input=job_input(world)))["createJob"]["job"]["id"]

    job = (await ask(world.admin, AUTHOR, id=job_id))["job"]

    own = {"__typename": "ServiceAccount", "id": account.id, "displayName": "deployer", "name": "deployer"}
    assert job == {"createdBy": own, "updatedBy": {"id": account.id}}


async def test_a_member_is_the_author_of_its_changes(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)

    author = (await ask(world.admin, AUTHOR, id=job_id))["job"]["createdBy"]

    own = {"__typename": "Member", "id": world.contributor.id, "displayName": "contributor"}
    assert author == own | {"email": world.contributor.email}


async def test_the_viewer_is_an_actor(ask: Ask, world: World, account: ServiceAccount) -> None:
    me = (await ask(account, VIEWER))["me"]

    assert me["id"] == f"VR{account.id[2:]}"
    own = {"__typename": "ServiceAccount", "id": account.id, "displayName": "deployer"}
    assert me["actor"] == own | {"organizationRole": "MEMBER", "status": "ACTIVE", "revision": 1}
    assert me["teams"]["nodes"] == [{"name": "data-eng"}]


async def test_members_and_service_accounts_have_lists_of_their_own(
    ask: Ask, world: World, account: ServiceAccount
) -> None:
    data = await ask(world.viewer, LISTS)

    names = ["admin", "auditor", "contributor", "outsider", "team_admin", "viewer"]
    assert data["members"] == {"totalCount": 6, "nodes": [{"displayName": each} for each in names]}
    teams = {"edges": [{"role": "CONTRIBUTOR", "node": {"name": "data-eng"}}]}
    assert data["serviceAccounts"] == {"totalCount": 1, "nodes": [{"name": "deployer", "teams": teams}]}


async def test_a_team_lists_its_service_accounts(ask: Ask, world: World, account: ServiceAccount) -> None:
    team = (await ask(world.viewer, OF_TEAM, id=world.data_eng.id))["team"]

    assert team["members"]["nodes"] == [{"name": each} for each in ("contributor", "team_admin", "viewer")]
    edge = {"role": "CONTRIBUTOR", "node": {"name": "deployer"}}
    assert team["serviceAccounts"] == {"totalCount": 1, "edges": [edge]}


async def test_an_actor_is_found_by_its_id_and_kind(ask: Ask, world: World, account: ServiceAccount) -> None:
    assert await ask(world.viewer, BY_ID, id=account.id) == {
        "member": None,
        "serviceAccount": {"id": account.id},
        "node": {"__typename": "ServiceAccount", "displayName": "deployer"},
    }
    assert await ask(world.viewer, BY_ID, id=world.admin.id) == {
        "member": {"id": world.admin.id},
        "serviceAccount": None,
        "node": {"__typename": "Member", "displayName": "admin"},
    }


async def test_actors_of_other_organizations_are_hidden(ask: Ask, world: World, account: ServiceAccount) -> None:
    absent = {"member": None, "serviceAccount": None, "node": None}

    assert await ask(world.foreign.admin, BY_ID, id=account.id) == absent
    assert await ask(world.admin, BY_ID, id=world.foreign.admin.id) == absent
