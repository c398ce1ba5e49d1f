"""`permissions` and `viewerPermissions` say what the mutations allow."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import roles
from mainsheet.models.database import Database
from mainsheet.models.roles import OrganizationPermission, OrganizationRole, TeamRole
from testbed.ask import Ask, job_input
from testbed.world import World, make_membership, make_team
from tests.api.test_provisioning import run
from tests.api.test_provisioning_rights import ADMINS, MATRIX, Values, errors, ids  # noqa: F401 a fixture

ORGANIZATION = {
    "admin": [
        "VIEW_ALL_JOBS",
        "MANAGE_ALL_JOBS",
        "EDIT_ORGANIZATION",
        "MANAGE_MEMBERS",
        "MANAGE_SERVICE_ACCOUNTS",
        "MANAGE_TOKENS",
        "MANAGE_TEAMS",
        "MANAGE_CLUSTERS",
        "MANAGE_WEBHOOKS",
    ],
    "auditor": ["VIEW_ALL_JOBS"],
    "team_admin": [],
}
VIEWER, CONTRIBUTOR = ["SHARE_JOBS"], ["SHARE_JOBS", "CREATE_JOBS", "EDIT_SAVED_QUERIES"]
IN_DATA_ENG = {
    "admin": [*CONTRIBUTOR, "EDIT", "MANAGE_MEMBERS", "DELETE"],
    "auditor": [],
    "team_admin": [*CONTRIBUTOR, "EDIT", "MANAGE_MEMBERS"],
    "contributor": CONTRIBUTOR,
    "viewer": VIEWER,
    "outsider": [],
}
# The mutations that only administrators may run, by the permission that shows it.
OF_ADMINISTRATORS = {
    "EDIT_ORGANIZATION": {"updateOrganization"},
    "MANAGE_MEMBERS": {"createMember", "updateMember", "disableMember", "enableMember", "eraseMember"},
    "MANAGE_SERVICE_ACCOUNTS": {
        "createServiceAccount",
        "updateServiceAccount",
        "disableServiceAccount",
        "enableServiceAccount",
        "createAccessToken",
    },
    "MANAGE_TEAMS": {"createTeam", "deleteTeam"},
    "MANAGE_CLUSTERS": {"createCluster", "updateCluster", "deleteCluster"},
    "MANAGE_WEBHOOKS": {
        "createWebhook",
        "updateWebhook",
        "deleteWebhook",
        "rotateWebhookSecret",
        "testWebhook",
        "redeliverWebhook",
    },
}
TEAM = "query ($id: ID!) { team(id: $id) { viewerPermissions } }"


async def test_viewer_has_the_permissions_of_the_organization_role(ask: Ask, world: World) -> None:
    for name, permissions in ORGANIZATION.items():
        answer = await ask(getattr(world, name), "{ me { permissions } }")

        assert answer["me"]["permissions"] == permissions, name


async def test_a_team_has_the_permissions_of_the_role_in_it(ask: Ask, world: World) -> None:
    for name, permissions in IN_DATA_ENG.items():
        answer = await ask(getattr(world, name), TEAM, id=world.data_eng.id)

        assert answer["team"]["viewerPermissions"] == permissions, name


async def test_team_permissions_are_those_that_mutations_check(ask: Ask, world: World, database: Database) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        spare = await make_team(session, world.organization)
    team = {"teamId": world.data_eng.id}
    mutations: dict[str, tuple[str, dict[str, Any]]] = {
        "EDIT_SAVED_QUERIES": ("createSavedQuery", {**team, "name": "new", "sql": "SELECT 1"}),
        "EDIT": ("updateTeam", {**team, "description": "New"}),
        "MANAGE_MEMBERS": ("setTeamRole", {**team, "actorId": world.outsider.id, "role": "VIEWER"}),
        "DELETE": ("deleteTeam", {"teamId": spare.id}),
    }
    for name, permissions in IN_DATA_ENG.items():
        for permission, (mutation, values) in mutations.items():
            answer = await run(ask, getattr(world, name), mutation, **values, dryRun=True)

            expected = [] if permission in permissions else ["FORBIDDEN"]
            assert [each["code"] for each in answer["userErrors"]] == expected, name


@pytest.mark.parametrize("permission", OF_ADMINISTRATORS)
async def test_a_permission_in_the_organization_allows_its_mutations(
    ask: Ask,
    world: World,
    ids: Values,  # noqa: F811 the fixture
    permission: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    granted = frozenset({OrganizationPermission(permission)})
    monkeypatch.setitem(roles.IN_ORGANIZATION, OrganizationRole.AUDITOR, granted)
    allowed = set()
    for name, (values, allowed_roles) in MATRIX.items():
        if allowed_roles == ADMINS:
            found = await errors(ask, world.auditor, name, values(ids))
            allowed |= {name} if "FORBIDDEN" not in {each["code"] for each in found} else set()

    assert allowed == OF_ADMINISTRATORS[permission]


async def test_team_permissions_for_jobs_are_those_that_mutations_check(
    ask: Ask, world: World, database: Database
) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        other = await make_team(session, world.organization)
        for name in IN_DATA_ENG:
            await make_membership(session, other, getattr(world, name), TeamRole.ADMIN)
    for name, permissions in IN_DATA_ENG.items():
        job_id = await ask.create_job(world.admin, world, jobKey=f"shared-by-{name}", teamIds=[other.id])
        caller, team = getattr(world, name), {"teamIds": [world.data_eng.id]}
        mutations = {
            "CREATE_JOBS": ("createJob", job_input(world, jobKey=f"made-by-{name}", **team)),
            "SHARE_JOBS": ("addTeamsToJob", {"jobId": job_id, **team}),
        }
        for permission, (mutation, values) in mutations.items():
            expected = [] if permission in permissions else ["FORBIDDEN"]
            found = await errors(ask, caller, mutation, values)
            assert [each["code"] for each in found] == expected, (name, permission)
