"""Searches in the lists that are ordered by name, and lookups by external id."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import limits
from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import (
    World,
    make_cluster,
    make_member,
    make_saved_query,
    make_service_account,
    make_team,
)
from tests.api.test_provisioning import done

LISTS = ("teams", "members", "serviceAccounts", "clusters", "savedQueries")
NAMES = ("Straße 9", "STRASSE 10", "Other 100%", "Other_strasse")


async def fill(database: Database, world: World) -> None:
    """Add an object of each kind for each of the names, to the other organization too."""
    async with AsyncSession(database.writes) as session, session.begin():
        for organization in (world.organization, world.foreign.organization):
            for index, name in enumerate(NAMES):
                await make_team(session, organization, name=name, description=f"number-{index}")
                await make_member(session, organization, name=name, email=f"number-{index}@example.com")
                await make_service_account(session, organization, name=name)
                await make_cluster(session, organization, name=name, region=f"number-{index}")
                await make_saved_query(session, organization, name=name)


async def found(ask: Ask, world: World, name: str, arguments: str) -> list[str]:
    """Return the names of the whole list, after a check of the total and of pages by cursor."""
    query = f"{{ it: {name}({arguments}) {{ totalCount nodes {{ name }} }} }}"
    answer = (await ask(world.outsider, query))["it"]
    names = [each["name"] for each in answer["nodes"]]
    assert answer["totalCount"] == len(names)
    assert await paged(ask, world, name, arguments) == names
    return names


async def paged(ask: Ask, world: World, name: str, arguments: str) -> list[str]:
    names: list[str] = []
    after = ""
    while True:
        page = "nodes { name } pageInfo { hasNextPage endCursor }"
        query = f"{{ it: {name}({arguments}, first: 1{after}) {{ {page} }} }}"
        answer: Any = (await ask(world.outsider, query))["it"]
        names += [each["name"] for each in answer["nodes"]]
        if not answer["pageInfo"]["hasNextPage"]:
            return names
        after = f', after: "{answer["pageInfo"]["endCursor"]}"'


@pytest.mark.parametrize("limit", [2, 3000])  # with 2, the index is used
async def test_a_search_finds_names_that_contain_the_text(
    ask: Ask, world: World, database: Database, scan_limit: Callable[[int], None], limit: int
) -> None:
    scan_limit(limit)
    await fill(database, world)

    for name in LISTS:
        assert await found(ask, world, name, 'search: " strasse"') == ["Other_strasse", "STRASSE 10", "Straße 9"], name
        descending = await found(ask, world, name, 'search: "STRAS", sortDirection: DESC')
        assert descending == ["Straße 9", "STRASSE 10", "Other_strasse"], name
        assert await found(ask, world, name, 'search: "0%"') == ["Other 100%"], name
        assert await found(ask, world, name, 'search: "r_s"') == ["Other_strasse"], name
        assert await found(ask, world, name, 'search: "absent"') == [], name
        assert await found(ask, world, name, 'search: " "') == await found(ask, world, name, "search: null"), name


async def test_a_search_finds_other_texts_that_people_know(ask: Ask, world: World, database: Database) -> None:
    await fill(database, world)

    for name in ("teams", "members", "clusters"):
        assert await found(ask, world, name, 'search: "number-2"') == ["Other 100%"], name


async def test_a_search_follows_changes(ask: Ask, world: World) -> None:
    team = await done(ask, world.admin, "createTeam", name="before")
    assert await found(ask, world, "teams", 'search: "befor"') == ["before"]

    await done(ask, world.admin, "updateTeam", teamId=team["id"], name="after", description="Later")
    assert await found(ask, world, "teams", 'search: "befor"') == []
    assert await found(ask, world, "teams", 'search: "later"') == ["after"]

    await done(ask, world.admin, "deleteTeam", teamId=team["id"])
    assert await found(ask, world, "teams", 'search: "later"') == []


async def test_an_erased_member_isnt_found_by_the_old_name(ask: Ask, world: World) -> None:
    await done(ask, world.admin, "updateMember", memberId=world.viewer.id, name="Jonas", email="jonas@example.com")
    assert await found(ask, world, "members", 'search: "jonas"') == ["Jonas"]

    await done(ask, world.admin, "eraseMember", memberId=world.viewer.id)

    assert await found(ask, world, "members", 'search: "jonas"') == []
    assert await found(ask, world, "members", 'search: "erased m"') == ["Erased member"]


async def test_clusters_are_listed_by_status(ask: Ask, world: World) -> None:
    assert await found(ask, world, "clusters", "statuses: [FAILED, ACTIVE]") == ["active", "failed"]
    assert await found(ask, world, "clusters", 'statuses: [FAILED, ACTIVE], search: "act"') == ["active"]
    assert await found(ask, world, "clusters", "statuses: []") == []
    assert len(await found(ask, world, "clusters", "statuses: null")) == 5


async def test_a_text_that_is_too_long_is_refused(ask: Ask, world: World) -> None:
    for name in LISTS:
        query = f"query ($text: String!) {{ {name}(search: $text) {{ totalCount }} }}"
        await ask(world.viewer, query, text="a" * limits.SEARCH.maximum)

        (error,) = await ask.errors(world.viewer, query, text="a" * (limits.SEARCH.maximum + 1))

        assert error.message == "search: Must be 0 to 255 characters long, but is 256."


@pytest.mark.parametrize("noun", ["team", "member", "serviceAccount", "cluster"])
async def test_an_object_is_found_by_its_external_id(ask: Ask, world: World, noun: str) -> None:
    kind = f"{noun[0].upper()}{noun[1:]}"
    values = {"name": "okta's", "externalId": "00u1"} | ({"email": "o@example.com"} if noun == "member" else {})
    own = await done(ask, world.admin, f"create{kind}", **values)
    await done(ask, world.foreign.admin, f"create{kind}", **values)
    query = f"query ($key: String!) {{ it: {noun}ByExternalId(externalId: $key) {{ id name }} }}"

    assert (await ask(world.outsider, query, key="00u1"))["it"] == {"id": own["id"], "name": "okta's"}
    assert (await ask(world.outsider, query, key="00u"))["it"] is None


@pytest.mark.parametrize("noun", ["team", "member", "serviceAccount", "cluster"])
async def test_an_object_is_found_by_the_external_id_that_was_sent(ask: Ask, world: World, noun: str) -> None:
    sent = " cafe\u0301 "  # stored in one character, without the spaces
    values = {"name": "okta's", "externalId": sent} | ({"email": "o@example.com"} if noun == "member" else {})
    own = await done(ask, world.admin, f"create{noun[0].upper()}{noun[1:]}", **values)
    query = f"query ($key: String!) {{ it: {noun}ByExternalId(externalId: $key) {{ id }} }}"

    assert (await ask(world.outsider, query, key=sent))["it"] == {"id": own["id"]}


async def test_an_external_id_finds_only_actors_of_the_kind(ask: Ask, world: World) -> None:
    await done(ask, world.admin, "createServiceAccount", name="deployer", externalId="00u1")

    answer = await ask(world.viewer, '{ memberByExternalId(externalId: "00u1") { id } }')

    assert answer == {"memberByExternalId": None}
