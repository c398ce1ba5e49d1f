"""A taken job key is reported only to members who may create the job: the other job may be hidden from them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from testbed.ask import CREATE_JOB, Ask, job_input
from testbed.world import World

TEAMS: Mapping[str, Callable[[World], list[str]]] = {
    "own": lambda world: [world.data_eng.id],
    "other": lambda world: [world.platform.id],
    "both": lambda world: [world.data_eng.id, world.platform.id],
    "unknown": lambda _world: ["TM00000000000000ZZZZ"],
    "foreign": lambda world: [world.foreign.team.id],
    "none": lambda _world: [],
}
EVERYTHING = {"own", "other", "both"}
MAY_CREATE = {
    "admin": EVERYTHING,
    "auditor": set(),
    "team_admin": {"own"},
    "contributor": {"own"},
    "viewer": set(),
    "outsider": set(),
}


@pytest.fixture
async def taken(ask: Ask, world: World) -> str:
    """Return the key of a job that only administrators and auditors see."""
    await ask.create_job(world.admin, world, jobKey="secret-merger", teamIds=[world.platform.id])
    return "secret-merger"


@pytest.mark.parametrize("teams", TEAMS)
@pytest.mark.parametrize("who", MAY_CREATE)
async def test_a_taken_key_is_reported_only_with_permission(
    ask: Ask, world: World, taken: str, who: str, teams: str
) -> None:
    given = job_input(world, teamIds=TEAMS[teams](world))
    told, statements = await answer(ask, world, who, given | {"jobKey": taken})

    if teams in MAY_CREATE[who]:
        assert [each["code"] for each in told["userErrors"]] == ["JOB_KEY_TAKEN"]
    else:
        assert told["userErrors"]
        assert (told, statements) == await answer(ask, world, who, given | {"jobKey": "secret-nothing"})


@pytest.mark.parametrize("wrong", [{"name": ""}, {"jobKey": "No"}], ids=str)
async def test_other_problems_reveal_no_taken_key(ask: Ask, world: World, taken: str, wrong: dict[str, Any]) -> None:
    given = job_input(world, teamIds=[world.platform.id], jobKey=taken) | wrong
    told, _ = await answer(ask, world, "viewer", given)

    assert "JOB_KEY_TAKEN" not in str(told)


async def answer(ask: Ask, world: World, who: str, given: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return the response and its statements: equal statements leave no difference in time."""
    told = (await ask(getattr(world, who), CREATE_JOB, input=given))["createJob"]
    return told, list(ask.statements)
