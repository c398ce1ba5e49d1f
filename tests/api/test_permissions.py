"""`permissions` and `viewerPermissions` say what the mutations allow."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import World, make_team
from tests.api.test_provisioning import run

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
