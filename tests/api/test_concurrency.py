"""Concurrent mutations: no change is lost or repeated, and the history agrees with the state."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import make_url, text

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from testbed.ask import CREATE_JOB, Ask, config, job_input
from testbed.databases import execute, opened
from testbed.world import World

STATE = """
query ($id: ID!) {
  job(id: $id) {
    revision currentVersion { number } draft { number revision } versions { nodes { number } }
    events { nodes { action fromVersionNumber toVersionNumber } }
  }
}
"""
KEPT = """
query ($id: ID!) {
  job(id: $id) {
    draft { dependencies { jobKey isDeleted } } versions { nodes { dependencies { jobKey isDeleted } } }
  }
}
"""
REFUSALS: dict[str, set[str]] = {
    "publishDraft": {"DEPENDENCY_NOT_FOUND"},
    "createVersion": {"DEPENDENCY_NOT_FOUND", "JOB_NOT_FOUND"},  # of the copied one, of the given one
    "updateDraft": {"JOB_NOT_FOUND"},
    "discardDraft": set(),
}
PAYLOADS = {
    "createDraft": "draft { number }",
    "updateDraft": "draft { revision }",
    "discardDraft": "discardedNumber",
    "publishDraft": "version { number }",
    "createVersion": "version { number }",
    "activateVersion": "version { number }",
    "deleteJob": "deletedJobId",
}
UPDATE_JOBS = "mutation ($input: UpdateJobsInput!) { updateJobs(input: $input) { userErrors { code } } }"
CHANGED = "{ events(filter: {actions: [JOB_UPDATED]}, first: 9) { nodes { subjectLabel } } }"


@pytest.fixture
async def servers(database_url: str) -> AsyncIterator[list[Ask]]:
    """Two pools of connections to one database, as two processes have."""
    databases = [Database.open(database_url) for _ in range(2)]
    yield [Ask(each) for each in databases]
    for each in databases:
        await each.close()


async def change(ask: Ask, member: Member, name: str, **values: Any) -> str:
    """Return the first user error's code, or `OK`."""
    kind = name[0].upper() + name[1:]
    query = f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {PAYLOADS[name]} userErrors {{ code }} }} }}"
    problems = (await ask(member, query, input=values))[name]["userErrors"]
    return str(problems[0]["code"]) if problems else "OK"


async def state(ask: Ask, member: Member, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = (await ask(member, STATE, id=job_id))["job"]
    history = job["events"]["nodes"]
    assert job["revision"] == 1 + sum(each["action"] not in {"JOB_CREATED", "DRAFT_UPDATED"} for each in history)
    moves = [each for each in history if each["action"] in {"DRAFT_PUBLISHED", "VERSION_CREATED", "VERSION_ACTIVATED"}]
    assert job["currentVersion"]["number"] == (moves[0]["toVersionNumber"] if moves else 1)
    return job


async def drafted(ask: Ask, world: World) -> str:
    job_id = await ask.create_job(world.contributor, world)
    assert await change(ask, world.contributor, "createDraft", jobId=job_id) == "OK"
    return job_id


async def test_concurrent_create_draft_makes_one_draft(servers: list[Ask], world: World) -> None:
    job_id = await servers[0].create_job(world.contributor, world)

    answers = await asyncio.gather(
        *(change(servers[each % 2], world.contributor, "createDraft", jobId=job_id) for each in range(50))
    )

    assert Counter(answers) == {"OK": 1, "DRAFT_EXISTS": 49}
    job = await state(servers[0], world.viewer, job_id)
    assert job["draft"] == {"number": 2, "revision": 1}
    assert [each["action"] for each in job["events"]["nodes"]] == ["DRAFT_CREATED", "JOB_CREATED"]


@pytest.mark.parametrize("turn", range(4))
async def test_concurrent_publish_and_discard_one_succeeds(servers: list[Ask], world: World, turn: int) -> None:
    job_id = await drafted(servers[0], world)
    names = ["publishDraft", "discardDraft"][:: 1 if turn % 2 else -1]

    answers = await asyncio.gather(
        *(change(ask, world.contributor, name, jobId=job_id) for ask, name in zip(servers, names, strict=True))
    )

    assert Counter(answers) == {"OK": 1, "DRAFT_NOT_FOUND": 1}
    job = await state(servers[0], world.viewer, job_id)
    published = names[answers.index("OK")] == "publishDraft"
    assert job["draft"] is None
    assert job["currentVersion"]["number"] == (2 if published else 1)
    assert job["events"]["nodes"][0]["action"] == ("DRAFT_PUBLISHED" if published else "DRAFT_DISCARDED")


@pytest.mark.parametrize("turn", range(4))
async def test_concurrent_activate_and_create_draft_are_serialized(servers: list[Ask], world: World, turn: int) -> None:
    job_id = await servers[0].create_job(world.contributor, world)
    assert await change(servers[0], world.contributor, "createVersion", jobId=job_id, changes={"maxRetries": 1}) == "OK"
    asked = [("activateVersion", {"number": 1}), ("createDraft", {})][:: 1 if turn % 2 else -1]

    answers = await asyncio.gather(
        *(
            change(ask, world.contributor, name, jobId=job_id, **more)
            for ask, (name, more) in zip(servers, asked, strict=True)
        )
    )

    by_name = {name: answer for (name, _), answer in zip(asked, answers, strict=True)}
    job = await state(servers[0], world.viewer, job_id)
    assert by_name["createDraft"] == "OK"
    assert by_name["activateVersion"] in {"OK", "DRAFT_EXISTS"}
    activated = by_name["activateVersion"] == "OK"
    assert job["currentVersion"]["number"] == (1 if activated else 2)
    draft = next(each for each in job["events"]["nodes"] if each["action"] == "DRAFT_CREATED")
    assert draft == {"action": "DRAFT_CREATED", "fromVersionNumber": 1 if activated else 2, "toVersionNumber": 3}


async def test_of_two_updates_of_one_revision_one_succeeds(servers: list[Ask], world: World) -> None:
    job_id = await drafted(servers[0], world)

    answers = await asyncio.gather(
        *(
            change(
                ask,
                world.contributor,
                "updateDraft",
                jobId=job_id,
                expectedDraftRevision=1,
                changes={"maxRetries": number},
            )
            for number, ask in enumerate(servers, 5)
        )
    )

    assert Counter(answers) == {"OK": 1, "STALE_REVISION": 1}
    assert (await state(servers[0], world.viewer, job_id))["draft"] == {"number": 2, "revision": 2}


async def test_the_revision_of_a_discarded_draft_is_outdated(servers: list[Ask], world: World) -> None:
    job_id = await drafted(servers[0], world)
    seen = {"jobId": job_id, "expectedDraftRevision": 1}
    assert await change(servers[1], world.team_admin, "discardDraft", jobId=job_id) == "OK"
    assert await change(servers[1], world.team_admin, "createDraft", jobId=job_id) == "OK"

    answers = [
        await change(servers[0], world.contributor, "updateDraft", **seen, changes={"maxRetries": 3}),
        await change(servers[0], world.contributor, "publishDraft", **seen),
        await change(servers[0], world.contributor, "discardDraft", **seen),
    ]

    assert answers == ["STALE_REVISION"] * 3


async def test_concurrent_create_job_makes_one_job_for_a_key(servers: list[Ask], world: World) -> None:
    answers = await asyncio.gather(
        *(servers[each % 2](world.contributor, CREATE_JOB, input=job_input(world)) for each in range(10))
    )

    errors = [error["__typename"] for each in answers for error in each["createJob"]["userErrors"]]
    assert errors == ["JobKeyTakenError"] * 9
    assert sum(each["createJob"]["job"] is not None for each in answers) == 1


async def test_concurrent_replays_create_one_job(servers: list[Ask], world: World) -> None:
    wanted = job_input(world, idempotencyKey="once")
    answers = await asyncio.gather(
        *(servers[each % 2](world.contributor, CREATE_JOB, input=wanted) for each in range(10))
    )

    assert len({each["createJob"]["job"]["id"] for each in answers}) == 1
    assert all(each["createJob"]["userErrors"] == [] for each in answers)


async def test_concurrent_changes_create_no_dependency_cycle(servers: list[Ask], world: World) -> None:
    ids = [await servers[0].create_job(world.contributor, world, jobKey=f"job-{each}") for each in range(4)]

    answers = await asyncio.gather(
        *(
            change(
                servers[index % 2],
                world.contributor,
                "createVersion",
                jobId=job_id,
                changes={"dependencies": [{"jobId": ids[index - 1]}]},
            )
            for index, job_id in enumerate(ids)
        )
    )

    assert Counter(answers) == {"OK": 3, "DEPENDENCY_CYCLE": 1}


@pytest.mark.parametrize("turn", range(4))
async def test_a_deletion_and_a_new_dependency_agree(servers: list[Ask], world: World, turn: int) -> None:
    """One of them is refused, whichever comes first."""
    needed = await servers[0].create_job(world.contributor, world, jobKey="needed")
    own = await servers[0].create_job(world.contributor, world, jobKey="own")
    asked: list[tuple[Member, str, dict[str, Any]]] = [
        (world.team_admin, "deleteJob", {"jobId": needed}),
        (world.contributor, "createVersion", {"jobId": own, "changes": {"dependencies": [{"jobId": needed}]}}),
    ]
    asked = asked[:: 1 if turn % 2 else -1]

    answers = await asyncio.gather(
        *(change(ask, member, name, **values) for ask, (member, name, values) in zip(servers, asked, strict=True))
    )

    by_name = {name: answer for (_, name, _), answer in zip(asked, answers, strict=True)}
    assert by_name in (
        {"deleteJob": "OK", "createVersion": "JOB_NOT_FOUND"},
        {"deleteJob": "JOB_HAS_DEPENDENTS", "createVersion": "OK"},
    )


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("step", ["publishDraft", "updateDraft", "discardDraft", "createVersion"])
async def test_a_forced_deletion_loses_no_dependency_meanwhile(
    servers: list[Ask], world: World, step: str, turn: int
) -> None:
    needed = await servers[0].create_job(world.contributor, world, jobKey="needed")
    waits = {"dependencies": [{"jobId": needed}]}
    own = await servers[0].create_job(world.contributor, world, jobKey="own", config=config(world, **waits))
    if step != "createVersion":
        assert await change(servers[0], world.contributor, "createDraft", jobId=own) == "OK"
    changes = {"changes": {"maxRetries": 2, **waits}} if step in {"updateDraft", "createVersion"} else {}
    asked: list[tuple[Member, str, dict[str, Any]]] = [
        (world.team_admin, "deleteJob", {"jobId": needed, "force": True}),
        (world.contributor, step, {"jobId": own, **changes}),
    ]
    asked = asked[:: 1 if turn % 2 else -1]

    answers = await asyncio.gather(
        *(change(ask, member, name, **values) for ask, (member, name, values) in zip(servers, asked, strict=True))
    )

    by_name = {name: answer for (_, name, _), answer in zip(asked, answers, strict=True)}
    assert by_name["deleteJob"] == "OK"
    assert by_name[step] in {"OK", *REFUSALS[step]}
    job = (await servers[0](world.viewer, KEPT, id=own))["job"]
    versions = [*job["versions"]["nodes"], *([job["draft"]] if job["draft"] else [])]
    assert [each["dependencies"] for each in versions] == [[{"jobKey": "needed", "isDeleted": True}]] * len(versions)


async def test_mutations_of_others_run_between_those_of_a_batch(database_url: str, world: World) -> None:
    """All wait for one connection, which the batch needs again for each of its jobs."""
    small = Database.open(database_url, pool_size=1)
    ask, other = Ask(small), Ask(small)
    ids = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(4)]
    many = {"jobs": [{"jobId": each, "name": "Changed"} for each in ids[:3]]}

    async with asyncio.TaskGroup() as group:
        group.create_task(ask(world.contributor, UPDATE_JOBS, input=many))
        group.create_task(other(world.admin, UPDATE_JOBS, input={"jobs": [{"jobId": ids[3], "name": "Changed"}]}))
    events = (await ask(world.admin, CHANGED))["events"]["nodes"]
    await small.close()

    assert [each["subjectLabel"] for each in events] == ["job-0", "job-3", "job-1", "job-2"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_changes_are_read_committed_whatever_the_role_has(database_url: str, postgres_server: str) -> None:
    """What a change reads after it waited for a lock must be what the other one committed."""
    name = make_url(database_url).database
    await execute(postgres_server, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")

    async with opened(database_url) as database, database.writes.begin() as connection:
        assert await connection.scalar(text("SHOW transaction_isolation")) == "read committed"
