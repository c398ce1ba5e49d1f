"""An erased member keeps nothing that names the person, and stays erased."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.models.member import erased_email
from mainsheet.models.retention import Retention, prune
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_dry_run import everything
from tests.api.test_provisioning import TOKENS, done, refused, run
from tests.locks import until_waiting

EVENTS_OF = "query ($ids: [ID!]!) { events(filter: {subjectIds: $ids}) { nodes { subjectLabel message } } }"


async def test_messages_about_an_erased_member_are_cleared(ask: Ask, world: World, database: Database) -> None:
    member_id = world.viewer.id
    await done(ask, world.admin, "updateMember", memberId=member_id, name="J. W.", message="Jonas Weber married")
    await done(ask, world.admin, "disableMember", memberId=member_id, message="Jonas Weber left")

    await done(ask, world.admin, "eraseMember", memberId=member_id)

    assert "Jonas" not in str(await everything(database))


@pytest.mark.parametrize(("name", "values"), [("enableMember", {}), ("updateMember", {"name": "Jonas Weber"})])
async def test_an_erased_member_stays_erased(
    ask: Ask, world: World, database: Database, name: str, values: dict[str, str]
) -> None:
    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)
    before = await everything(database)

    error = await refused(ask, world.admin, name, memberId=world.viewer.id, **values)

    assert (error["code"], error["path"]) == ("INVALID", ["memberId"])
    assert await everything(database) == before


async def test_erasing_again_changes_nothing(ask: Ask, world: World, database: Database) -> None:
    first = await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)
    before = await everything(database)

    assert await done(ask, world.admin, "eraseMember", memberId=world.viewer.id) == first
    assert await everything(database) == before


@pytest.mark.parametrize("name", ["createMember", "updateMember"])
async def test_nobody_else_gets_the_address_of_an_erased_member(ask: Ask, world: World, name: str) -> None:
    address = erased_email(world.viewer.id)
    new = {"name": "Eve"} if name == "createMember" else {"memberId": world.viewer.id}

    for each in (address, address.upper()):
        error = await refused(ask, world.admin, name, email=each, **new)
        assert (error["code"], error["path"]) == ("INVALID", ["email"])

    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)


async def test_an_erased_member_joins_no_team(ask: Ask, world: World, database: Database) -> None:
    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)
    before = await everything(database)

    ids = {"teamId": world.platform.id, "actorId": world.viewer.id}
    error = await refused(ask, world.admin, "setTeamRole", **ids, role="VIEWER")

    assert (error["code"], error["path"]) == ("INVALID", ["actorId"])
    assert await everything(database) == before


async def test_tokens_of_an_erased_member_keep_no_name(ask: Ask, world: World, database: Database) -> None:
    first, second = [
        await done(ask, world.viewer, "createAccessToken", name=f"Jonas' {noun}") for noun in ("laptop", "phone")
    ]
    await done(ask, world.viewer, "revokeAccessToken", accessTokenId=first["id"], message="Jonas lost it")
    (revoked, _) = (await ask(world.admin, TOKENS))["accessTokens"]["nodes"]

    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)

    assert "Jonas" not in str(await everything(database))
    kept, other = (await ask(world.admin, TOKENS))["accessTokens"]["nodes"]
    assert (kept["name"], kept["revokedAt"]) == (None, revoked["revokedAt"])
    assert other["revokedAt"] is not None
    labels = (await ask(world.admin, EVENTS_OF, ids=[first["id"], second["id"]]))["events"]["nodes"]
    assert [each["subjectLabel"] for each in labels] == [first["id"], second["id"], first["id"]]


async def test_events_of_tokens_that_are_deleted_keep_no_name(ask: Ask, world: World, database: Database) -> None:
    token = await done(ask, world.viewer, "createAccessToken", name="Jonas' laptop", message="Jonas needs it")
    await done(ask, world.viewer, "revokeAccessToken", accessTokenId=token["id"], message="Jonas lost it")
    assert (await prune(database, Retention(tokens=timedelta(), idempotency_records=None)))["tokens"] == 1

    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)

    assert "Jonas" not in str(await everything(database))
    labels = (await ask(world.admin, EVENTS_OF, ids=[token["id"]]))["events"]["nodes"]
    assert [each["subjectLabel"] for each in labels] == [token["id"]] * 2


async def test_messages_of_roles_in_teams_keep_no_name(ask: Ask, world: World, database: Database) -> None:
    role = {"teamId": world.platform.id, "actorId": world.viewer.id}
    await done(ask, world.admin, "setTeamRole", **role, role="VIEWER", message="Jonas joins")
    await done(ask, world.admin, "removeFromTeam", **role, message="Jonas leaves")
    other = role | {"actorId": world.team_admin.id}
    await done(ask, world.admin, "setTeamRole", **other, role="VIEWER", message="Noor joins")

    short = (await done(ask, world.admin, "createTeam", name="short-lived"))["id"]
    await done(ask, world.admin, "setTeamRole", **role | {"teamId": short}, role="VIEWER", message="Jonas helps")
    await done(ask, world.admin, "deleteTeam", teamId=short)

    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id, message="Request 12")

    stored = await everything(database)
    assert "Jonas" not in str(stored)
    events = (await ask(world.admin, EVENTS_OF, ids=[world.viewer.id, world.platform.id]))["events"]["nodes"]
    assert [each["message"] for each in events] == [None, None, "Noor joins", "Request 12"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("name", "values", "code"),
    [("setTeamRole", {"role": "VIEWER"}, "INVALID"), ("removeFromTeam", {}, "ACTOR_NOT_FOUND")],
)
async def test_a_change_of_roles_waits_for_an_erasure(
    ask: Ask, world: World, database: Database, name: str, values: dict[str, str], code: str
) -> None:
    role = {"teamId": world.data_eng.id, "actorId": world.viewer.id}
    await done(ask, world.admin, "setTeamRole", **role, role="ADMIN")
    async with database.writes.connect() as other:
        erasing = await other.begin()
        await other.execute(text("SELECT FROM actor WHERE id = :id FOR NO KEY UPDATE"), {"id": world.viewer.id})
        changing = asyncio.create_task(run(Ask(database), world.admin, name, **role, **values, message="Jonas moves"))
        await until_waiting(database, changing)
        erased = {"id": world.viewer.id, "email": erased_email(world.viewer.id)}
        await other.execute(text("UPDATE actor SET email = :email WHERE id = :id"), erased)
        await other.execute(text("DELETE FROM team_member WHERE actor_id = :id"), {"id": world.viewer.id})
        await erasing.commit()
        errors = (await changing)["userErrors"]

    assert [each["code"] for each in errors] == [code]
    assert "Jonas moves" not in str(await everything(database))
