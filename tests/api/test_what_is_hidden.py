"""Hidden jobs are treated as missing ones, and the permissions of a member's teams add up."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.roles import TeamRole
from testbed.ask import Ask, config, job_input
from testbed.world import World, make_membership

CHANGES = ["createVersion", "createDraft", "updateDraft", "createJob"]
READS = {
    "JB": "query ($id: ID!) { job(id: $id) { jobKey } node(id: $id) { id } nodes(ids: [$id, $id]) { id } }",
    "JV": "query ($id: ID!) { node(id: $id) { id ... on JobVersion { number job { id } } } }",
    "EV": "query ($id: ID!) { node(id: $id) { id ... on Event { subjectLabel changes { path } } } }",
}
SHOWN = "query ($id: ID!) { job(id: $id) { id currentVersion { id } events { nodes { id } } } }"
COUNTED = """query ($search: String!, $team: ID!) {
  jobs(filter: {search: $search}) { totalCount pageInfo { hasNextPage endCursor } edges { cursor } }
  team(id: $team) { jobs(last: 1) { totalCount pageInfo { hasPreviousPage startCursor } edges { cursor } } }
}"""
PERMISSIONS = "query ($id: ID!) { job(id: $id) { viewerPermissions } }"


@pytest.fixture
async def own(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world)


@pytest.fixture
async def hidden(ask: Ask, world: World, own: str) -> str:
    """Create a job that the contributor can't see, and that depends on the contributor's job."""
    waits = config(world, dependencies=[{"jobId": own}])
    return await ask.create_job(
        world.admin, world, jobKey="hidden-one", name="Hidden", teamIds=[world.platform.id], config=waits
    )


async def answer(ask: Ask, world: World, name: str, own: str, other: str) -> Any:
    """Return the errors that the contributor gets for a dependency on the other job."""
    waits = {"dependencies": [{"jobId": other}]}
    values = {"jobId": own, "changes": waits}
    if name == "createJob":
        values = job_input(world, jobKey="new", config=config(world, **waits))
    more = "... on DependencyCycleError { cycle { id } }"
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ userErrors {{ __typename code message path {more} }} }} }}"
    return await ask(world.contributor, query, i=values)


@pytest.mark.parametrize("name", CHANGES)
async def test_a_hidden_dependency_is_refused_like_a_missing_one(
    ask: Ask, world: World, own: str, hidden: str, name: str
) -> None:
    if name == "updateDraft":
        await ask(
            world.contributor, "mutation ($id: ID!) { createDraft(input: {jobId: $id}) { draft { id } } }", id=own
        )

    told = await answer(ask, world, name, own, hidden)

    assert [each["code"] for each in told[name]["userErrors"]] == ["JOB_NOT_FOUND"]
    never = "JB00000000000000ZZZZ"
    assert str(told).replace(hidden, never) == str(await answer(ask, world, name, own, never))


async def test_ids_of_hidden_objects_return_null(ask: Ask, world: World, hidden: str) -> None:
    shown = (await ask(world.admin, SHOWN, id=hidden))["job"]
    ids = [shown["id"], shown["currentVersion"]["id"], shown["events"]["nodes"][0]["id"]]

    for each in ids:
        query, unknown = READS[each[:2]], each[:2] + "00000000000000ZZZZ"
        found = await ask(world.contributor, query, id=each)
        assert found == await ask(world.contributor, query, id=unknown)
        assert found != await ask(world.admin, query, id=each)


async def test_totals_count_no_hidden_jobs(ask: Ask, world: World, own: str, hidden: str) -> None:
    counted = await ask(world.contributor, COUNTED, search="hidden", team=world.platform.id)

    assert counted == await ask(world.contributor, COUNTED, search="nothing like it", team=world.platform.id)
    assert (await ask(world.admin, COUNTED, search="hidden", team=world.platform.id)) != counted
    assert {own, hidden}.isdisjoint(str(counted).split("'"))


async def test_a_cycle_shows_null_for_a_hidden_job(ask: Ask, world: World, own: str, hidden: str) -> None:
    waits = config(world, dependencies=[{"jobId": hidden}])
    both = await ask.create_job(world.admin, world, jobKey="both", config=waits)

    problems = (await answer(ask, world, "createVersion", own, both))["createVersion"]["userErrors"]

    assert [each["code"] for each in problems] == ["DEPENDENCY_CYCLE"]
    assert problems[0]["cycle"] == [{"id": own}, {"id": both}, None, {"id": own}]


@pytest.mark.parametrize(
    ("who", "roles", "expected"),
    [
        ("outsider", ["VIEWER", "CONTRIBUTOR"], ["VIEW", "EDIT", "RUN"]),
        ("outsider", ["VIEWER", "ADMIN"], ["VIEW", "EDIT", "RUN", "MANAGE_TEAMS", "DELETE"]),
        ("auditor", ["CONTRIBUTOR"], ["VIEW", "EDIT", "RUN"]),
        ("auditor", ["VIEWER", "ADMIN"], ["VIEW", "EDIT", "RUN", "MANAGE_TEAMS", "DELETE"]),
        ("outsider", ["CONTRIBUTOR", "CONTRIBUTOR"], ["VIEW", "EDIT", "RUN"]),
    ],
)
async def test_permissions_of_several_teams_add_up(
    ask: Ask, world: World, database: Database, who: str, roles: list[str], expected: list[str]
) -> None:
    member, teams = getattr(world, who), [world.analytics, world.platform]
    async with AsyncSession(database.writes) as session, session.begin():
        for team, role in zip(teams, roles, strict=False):
            await make_membership(session, team, member, TeamRole(role))
    job_id = await ask.create_job(world.admin, world, teamIds=[each.id for each in teams])

    assert (await ask(member, PERMISSIONS, id=job_id))["job"]["viewerPermissions"] == expected
    remove = (
        f'mutation {{ removeTeamFromJob(input: {{jobId: "{job_id}", teamId: "TM0"}}) {{ userErrors {{ code }} }} }}'
    )
    change = f'mutation {{ createDraft(input: {{jobId: "{job_id}", dryRun: true}}) {{ userErrors {{ code }} }} }}'
    code = "TEAM_NOT_FOUND" if "MANAGE_TEAMS" in expected else "FORBIDDEN"
    assert (await ask(member, remove))["removeTeamFromJob"]["userErrors"] == [{"code": code}]
    assert (await ask(member, change))["createDraft"]["userErrors"] == []
