"""Administrators rename their organization, by a command like all others."""

from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_dry_run import everything

UPDATE = """
mutation ($input: UpdateOrganizationInput!) {
  updateOrganization(input: $input) {
    organization { name }
    userErrors { __typename code message path ... on ForbiddenError { missingOrganizationRole missingPermission } }
  }
}
"""
NAME = "{ organization { name } }"
REVISION = "{ organization { name revision } }"


async def update(ask: Ask, member: Member, **values: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await ask(member, UPDATE, input=values))["updateOrganization"]
    return answer


async def test_an_administrator_renames_the_organization(ask: Ask, world: World) -> None:
    answer = await update(ask, world.admin, name="Harbour")

    assert answer == {"organization": {"name": "Harbour"}, "userErrors": []}
    assert (await ask(world.viewer, NAME))["organization"] == {"name": "Harbour"}
    assert (await ask(world.foreign.admin, NAME))["organization"] == {"name": "lagoon"}


async def test_an_omitted_name_is_unchanged(ask: Ask, world: World) -> None:
    assert await update(ask, world.admin) == {"organization": {"name": "harbor"}, "userErrors": []}


@pytest.mark.parametrize("actor", ["auditor", "team_admin", "viewer", "outsider"])
async def test_only_administrators_can_rename_it(ask: Ask, world: World, database: Database, actor: str) -> None:
    before = await everything(database)

    answer = await update(ask, getattr(world, actor), name="Mine")

    (error,) = answer["userErrors"]
    assert answer["organization"] is None
    assert (error["code"], error["path"]) == ("FORBIDDEN", [])
    assert (error["missingOrganizationRole"], error["missingPermission"]) == ("ADMIN", None)
    assert "ADMIN" in error["message"]
    assert await everything(database) == before


@pytest.mark.parametrize("name", ["", "n" * 256, None])
async def test_a_name_over_its_limit_is_refused(ask: Ask, world: World, name: str | None) -> None:
    answer = await update(ask, world.admin, name=name)

    assert [(each["code"], each["path"]) for each in answer["userErrors"]] == [("INVALID", ["name"])]
    assert (await update(ask, world.admin, name="n" * 255))["userErrors"] == []


async def test_organizations_may_share_a_name(ask: Ask, world: World) -> None:
    assert await update(ask, world.admin, name="lagoon") == {"organization": {"name": "lagoon"}, "userErrors": []}


async def test_a_dry_run_shows_but_doesnt_store_the_name(ask: Ask, world: World, database: Database) -> None:
    before = await everything(database)

    tried = await update(ask, world.admin, name="Harbour", dryRun=True)

    assert tried == {"organization": {"name": "Harbour"}, "userErrors": []}
    assert await everything(database) == before


async def test_an_idempotency_key_renames_once(ask: Ask, world: World) -> None:
    first = await update(ask, world.admin, name="Harbour", idempotencyKey="once")
    await update(ask, world.admin, name="Port")

    again = await update(ask, world.admin, name="Harbour", idempotencyKey="once")
    other = await update(ask, world.admin, name="Quay", idempotencyKey="once")

    assert first["organization"] == {"name": "Harbour"}
    assert again == {"organization": {"name": "Port"}, "userErrors": []}
    assert [each["code"] for each in other["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]


async def test_a_rename_after_another_one_is_refused(ask: Ask, world: World) -> None:
    before = (await ask(world.admin, REVISION))["organization"]["revision"]
    await update(ask, world.admin, name="Harbour", expectedRevision=before)

    late = await update(ask, world.admin, name="Port", expectedRevision=before)
    seen = await ask(world.admin, REVISION)
    same = await update(ask, world.admin, name="Harbour", expectedRevision=before + 1)

    assert [(each["code"], each["path"]) for each in late["userErrors"]] == [("STALE_REVISION", ["expectedRevision"])]
    assert seen["organization"] == {"name": "Harbour", "revision": before + 1}
    assert same["userErrors"] == []
    assert await ask(world.admin, REVISION) == seen  # equal values change nothing
