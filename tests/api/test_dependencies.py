"""Dependencies are never lost: not by members who can't see them, not by the deletion of a job, not by a copy."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.member import Member
from testbed.ask import Ask, config
from testbed.changes import CHANGES, VALUE, flat
from testbed.world import World

ERRORS = """userErrors { __typename code message path
  ... on DependencyNotFoundError { dependencyId }
  ... on JobHasDependentsError { dependents { jobKey } hiddenCount } }"""
DEPENDENCIES = "dependencies { id condition jobKey isDeleted job { jobKey } }"
VERSIONS = f"""query ($id: ID!) {{ job(id: $id) {{ revision
  currentVersion {{ number {DEPENDENCIES} }} draft {{ revision {DEPENDENCIES} }}
  versions {{ nodes {{ number {DEPENDENCIES} changes {{ {CHANGES} }} }} }}
  events {{ nodes {{ action changes {{ {CHANGES} }} }} }} }} }}
{VALUE}"""
DEPENDENTS = """query ($id: ID!, $first: Int, $after: String) {
  job(id: $id) { dependents(first: $first, after: $after) { totalCount nodes { jobKey } pageInfo { endCursor } } } }"""
DELETE = f"mutation ($i: DeleteJobInput!) {{ deleteJob(input: $i) {{ deletedJobId {ERRORS} }} }}"

Dependency = dict[str, Any]


async def change(ask: Ask, member: Member, name: str, job_id: str, **values: Any) -> list[dict[str, Any]]:
    """Return the user errors."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {ERRORS} }} }}"
    errors: list[dict[str, Any]] = (await ask(member, query, i={"jobId": job_id, **values}))[name]["userErrors"]
    return errors


async def accepted(ask: Ask, member: Member, name: str, job_id: str, **values: Any) -> None:
    assert await change(ask, member, name, job_id, **values) == []


async def delete(ask: Ask, member: Member, job_id: str, **values: Any) -> Mapping[str, Any]:
    answer: dict[str, Any] = (await ask(member, DELETE, i={"jobId": job_id, **values}))["deleteJob"]
    return answer


async def job(ask: Ask, member: Member, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(member, VERSIONS, id=job_id))["job"]
    return found


async def draft(ask: Ask, member: Member, job_id: str) -> list[Dependency]:
    found: list[Dependency] = (await job(ask, member, job_id))["draft"]["dependencies"]
    return found


async def current(ask: Ask, member: Member, job_id: str) -> list[Dependency]:
    found: list[Dependency] = (await job(ask, member, job_id))["currentVersion"]["dependencies"]
    return found


def on(*job_ids: str, condition: str = "ON_SUCCESS") -> list[dict[str, str]]:
    return [{"jobId": each, "condition": condition} for each in job_ids]


def keys(dependencies: Sequence[Dependency]) -> list[str | None]:
    return [each["jobKey"] for each in dependencies]


async def add_dependents(ask: Ask, world: World, own: str, seen: str, *, draft_key: str) -> None:
    """Let jobs depend on `seen`: one in a draft only, a hidden one, and `own` in its draft too."""
    await accepted(ask, world.contributor, "createDraft", own)
    drafting = await ask.create_job(world.contributor, world, jobKey=draft_key)
    await accepted(ask, world.contributor, "createDraft", drafting, changes={"dependencies": on(seen)})
    waits = config(world, dependencies=on(seen))
    await ask.create_job(world.admin, world, jobKey="unseen", teamIds=[world.platform.id], config=waits)


@pytest.fixture
async def seen(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world, jobKey="seen")


@pytest.fixture
async def hidden(ask: Ask, world: World) -> str:
    """A job that the contributor and the team's administrator can't see."""
    return await ask.create_job(world.admin, world, jobKey="secret", teamIds=[world.platform.id])


@pytest.fixture
async def own(ask: Ask, world: World, seen: str, hidden: str) -> str:
    """A job of the contributor's that depends on both."""
    return await ask.create_job(
        world.admin, world, jobKey="own", config=config(world, dependencies=on(hidden, seen, condition="ON_FAILURE"))
    )


async def test_a_hidden_dependency_shows_its_condition_only(ask: Ask, world: World, own: str) -> None:
    first, second = await current(ask, world.contributor, own)

    assert first | {"id": ""} == {
        "id": "",
        "condition": "ON_FAILURE",
        "jobKey": None,
        "isDeleted": False,
        "job": None,
    }
    assert (second["jobKey"], second["job"]) == ("seen", {"jobKey": "seen"})
    assert first["id"] != second["id"]
    assert {each["id"][:2] for each in (first, second)} == {"JD"}
    assert keys(await current(ask, world.admin, own)) == ["secret", "seen"]


@pytest.mark.parametrize("new", [[], None], ids=["empty", "null"])
async def test_a_list_replaces_only_what_the_caller_sees(
    ask: Ask, world: World, own: str, new: list[Any] | None
) -> None:
    before = await current(ask, world.admin, own)
    await accepted(ask, world.contributor, "createVersion", own, changes={"dependencies": new})

    after = await current(ask, world.admin, own)
    assert [(each["jobKey"], each["condition"]) for each in after] == [("secret", "ON_FAILURE")]
    assert before[0]["id"] != after[0]["id"]


async def test_a_draft_keeps_hidden_dependencies_and_their_ids(ask: Ask, world: World, own: str) -> None:
    other = await ask.create_job(world.contributor, world, jobKey="other")
    await accepted(ask, world.contributor, "createDraft", own)
    before = await draft(ask, world.admin, own)
    await accepted(ask, world.contributor, "updateDraft", own, changes={"dependencies": on(other)})

    after = await draft(ask, world.admin, own)
    assert keys(before) == ["secret", "seen"]
    assert keys(after) == ["secret", "other"]
    assert before[0] == after[0]
    await accepted(ask, world.contributor, "publishDraft", own)
    assert await current(ask, world.admin, own) == after


async def test_the_same_list_sent_back_changes_nothing(ask: Ask, world: World, own: str, seen: str) -> None:
    await accepted(ask, world.contributor, "createDraft", own)
    before = await job(ask, world.admin, own)

    same = {"dependencies": on(seen, condition="ON_FAILURE")}
    await accepted(ask, world.contributor, "updateDraft", own, changes=same)

    assert await job(ask, world.admin, own) == before


async def test_a_member_who_sees_all_jobs_replaces_all_dependencies(ask: Ask, world: World, own: str) -> None:
    await accepted(ask, world.admin, "createVersion", own, changes={"dependencies": []})

    assert await current(ask, world.admin, own) == []


async def test_a_hidden_dependency_is_removed_by_its_id(ask: Ask, world: World, own: str) -> None:
    hidden, seen = await current(ask, world.contributor, own)
    removal = {"removeDependencyIds": [hidden["id"]]}
    await accepted(ask, world.contributor, "createDraft", own, changes=removal)
    assert keys(await draft(ask, world.admin, own)) == ["seen"]

    (seen,) = await draft(ask, world.contributor, own)
    await accepted(ask, world.contributor, "updateDraft", own, changes={"removeDependencyIds": [seen["id"]]})
    assert await draft(ask, world.admin, own) == []


async def test_dependencies_are_removed_before_the_list_is_applied(ask: Ask, world: World, own: str, seen: str) -> None:
    hidden, shown = await current(ask, world.contributor, own)
    changes = {"removeDependencyIds": [hidden["id"], shown["id"]], "dependencies": on(seen)}
    await accepted(ask, world.contributor, "createVersion", own, changes=changes)

    (after,) = await current(ask, world.admin, own)
    assert (after["jobKey"], after["condition"]) == ("seen", "ON_SUCCESS")


async def test_ids_of_no_dependency_are_refused(ask: Ask, world: World, own: str) -> None:
    of_version = (await current(ask, world.contributor, own))[0]["id"]
    await accepted(ask, world.contributor, "createDraft", own)
    ids = ["JD0", of_version, (await draft(ask, world.contributor, own))[0]["id"], "\ud800", "\x00"]

    errors = await change(ask, world.contributor, "updateDraft", own, changes={"removeDependencyIds": ids})

    assert [(each["code"], each["path"], each["dependencyId"]) for each in errors] == [
        ("DEPENDENCY_NOT_FOUND", ["changes", "removeDependencyIds", str(index)], None) for index in (0, 1, 3, 4)
    ]
    assert errors[0]["message"] == "The version has no dependency 'JD0'."


async def test_more_than_a_hundred_ids_to_remove_are_refused(ask: Ask, world: World, own: str) -> None:
    ids = [(await current(ask, world.contributor, own))[0]["id"]]

    for count, expected in ((100, []), (101, ["INVALID"])):
        values = {"changes": {"removeDependencyIds": ids * count}, "dryRun": True}
        errors = await change(ask, world.contributor, "createVersion", own, **values)
        assert [each["code"] for each in errors] == expected


async def test_a_hundred_dependencies_include_hidden_ones(ask: Ask, world: World, own: str) -> None:
    others = [await ask.create_job(world.contributor, world, jobKey=f"other-{each}") for each in range(100)]

    for count, expected in ((99, []), (100, [("INVALID", ["changes", "dependencies"])])):
        values = {"changes": {"dependencies": on(*others[:count])}, "dryRun": True}
        errors = await change(ask, world.contributor, "createVersion", own, **values)
        assert [(each["code"], each["path"]) for each in errors] == expected


@pytest.mark.parametrize("name", ["createDraft", "createVersion"])
async def test_a_job_cannot_depend_on_itself(ask: Ask, world: World, own: str, seen: str, name: str) -> None:
    errors = await change(ask, world.contributor, name, own, changes={"dependencies": on(seen, own)})

    assert errors[0] == {
        "__typename": "DependencyOnItselfError",
        "code": "DEPENDENCY_ON_ITSELF",
        "message": "A job can't depend on itself. Remove this dependency.",
        "path": ["changes", "dependencies", "1", "jobId"],
    }


async def test_a_guessed_hidden_dependency_is_refused_like_an_unknown_job(
    ask: Ask, world: World, own: str, hidden: str
) -> None:
    """Also where the version already depends on it."""
    never = "JB00000000000000ZZZZ"
    told = [
        await change(ask, world.contributor, "createVersion", own, changes={"dependencies": on(each)})
        for each in (hidden, never)
    ]

    assert [each["code"] for each in told[0]] == ["JOB_NOT_FOUND"]
    assert str(told[0]).replace(hidden, never) == str(told[1])


async def test_a_cycle_through_a_kept_hidden_dependency_is_refused(
    ask: Ask, world: World, own: str, hidden: str
) -> None:
    await accepted(ask, world.admin, "createVersion", own, changes={"dependencies": []})
    await accepted(ask, world.admin, "createDraft", own, changes={"dependencies": on(hidden)})
    await accepted(ask, world.admin, "createVersion", hidden, changes={"dependencies": on(own)})

    errors = await change(ask, world.contributor, "publishDraft", own)

    assert [each["code"] for each in errors] == ["DEPENDENCY_CYCLE"]


async def test_a_job_with_dependents_is_not_deleted(ask: Ask, world: World, own: str, seen: str) -> None:
    """One of them depends on it in its current version and its draft, and counts once."""
    await add_dependents(ask, world, own, seen, draft_key="drafting")

    refused = await delete(ask, world.team_admin, seen)
    by_admin = await delete(ask, world.admin, seen)

    assert refused == {
        "deletedJobId": None,
        "userErrors": [
            {
                "__typename": "JobHasDependentsError",
                "code": "JOB_HAS_DEPENDENTS",
                "message": "Other jobs depend on this job: 2 that you can see and 1 that you can't. Remove their"
                " dependencies first, or send force: true.",
                "path": ["jobId"],
                "dependents": [{"jobKey": "drafting"}, {"jobKey": "own"}],
                "hiddenCount": 1,
            }
        ],
    }
    (error,) = by_admin["userErrors"]
    assert [each["jobKey"] for each in error["dependents"]] == ["drafting", "own", "unseen"]
    assert error["hiddenCount"] == 0


async def test_a_refusal_to_delete_shows_a_hundred_dependents(ask: Ask, world: World, seen: str) -> None:
    waits = config(world, dependencies=on(seen))
    for each in range(101):
        await ask.create_job(world.contributor, world, jobKey=f"other-{each:03}", config=waits)

    (error,) = (await delete(ask, world.team_admin, seen))["userErrors"]

    assert [each["jobKey"] for each in error["dependents"]] == [f"other-{each:03}" for each in range(100)]
    assert "101 that you can see and 0 that you can't" in error["message"]


async def test_old_versions_do_not_keep_a_job_from_being_deleted(ask: Ask, world: World, own: str, seen: str) -> None:
    await accepted(ask, world.admin, "createVersion", own, changes={"dependencies": []})

    assert (await delete(ask, world.team_admin, seen))["deletedJobId"] == seen


async def test_a_stale_revision_and_dependents_are_reported_together(
    ask: Ask, world: World, own: str, seen: str
) -> None:
    assert own
    errors = (await delete(ask, world.team_admin, seen, expectedJobRevision=99))["userErrors"]

    assert [each["code"] for each in errors] == ["STALE_REVISION", "JOB_HAS_DEPENDENTS"]


async def test_a_forced_deletion_leaves_versions_as_they_are(ask: Ask, world: World, own: str, seen: str) -> None:
    await accepted(ask, world.contributor, "createDraft", own)
    before = await job(ask, world.admin, own)

    assert (await delete(ask, world.team_admin, seen, force=True))["deletedJobId"] == seen

    after = await job(ask, world.admin, own)
    for part in (before, after):
        for version in (part["currentVersion"], part["draft"], *part["versions"]["nodes"]):
            (dependency,) = [each for each in version["dependencies"] if each["jobKey"] == "seen"]
            is_deleted = dependency.pop("isDeleted")
            assert (is_deleted, dependency.pop("job")) == (
                (False, {"jobKey": "seen"}) if part is before else (True, None)
            )
    assert after == before


@pytest.mark.parametrize(("name", "shown"), [("secret", None), ("seen", "seen")])
async def test_the_key_of_a_deleted_job_is_shown_to_members_who_could_see_it(
    ask: Ask, world: World, own: str, seen: str, hidden: str, name: str, shown: str | None
) -> None:
    job_id = {"secret": hidden, "seen": seen}[name]
    assert (await delete(ask, world.admin, job_id, force=True))["userErrors"] == []
    reused = await ask.create_job(world.contributor, world, jobKey=name)

    for member, key in ((world.contributor, shown), (world.admin, name), (world.auditor, name)):
        (dependency,) = [each for each in await current(ask, member, own) if each["isDeleted"]]
        assert (dependency["jobKey"], dependency["job"]) == (key, None)
    assert (await ask(world.contributor, DEPENDENTS, id=reused))["job"]["dependents"]["nodes"] == []


async def test_a_draft_that_depends_on_a_deleted_job_is_published_without_it(
    ask: Ask, world: World, own: str, hidden: str
) -> None:
    await accepted(ask, world.contributor, "createDraft", own)
    assert (await delete(ask, world.admin, hidden, force=True))["userErrors"] == []
    (gone,) = [each["id"] for each in await draft(ask, world.contributor, own) if each["isDeleted"]]

    errors = await change(ask, world.contributor, "publishDraft", own)
    assert errors == [
        {
            "__typename": "DependencyNotFoundError",
            "code": "DEPENDENCY_NOT_FOUND",
            "message": f"The job of the dependency {gone} was deleted. Remove it with removeDependencyIds.",
            "path": ["jobId"],
            "dependencyId": gone,
        }
    ]
    await accepted(ask, world.contributor, "updateDraft", own, changes={"dependencies": []})
    assert [each["id"] for each in await draft(ask, world.contributor, own)] == [gone]
    await accepted(ask, world.contributor, "updateDraft", own, changes={"removeDependencyIds": [gone]})
    await accepted(ask, world.contributor, "publishDraft", own)
    assert await current(ask, world.admin, own) == []


async def test_a_new_version_is_refused_until_deleted_dependencies_are_removed(
    ask: Ask, world: World, own: str, seen: str
) -> None:
    assert (await delete(ask, world.team_admin, seen, force=True))["userErrors"] == []
    (gone,) = [each["id"] for each in await current(ask, world.contributor, own) if each["isDeleted"]]

    errors = await change(ask, world.contributor, "createVersion", own, changes={"maxRetries": 2})
    assert [(each["code"], each["path"], each["dependencyId"]) for each in errors] == [
        ("DEPENDENCY_NOT_FOUND", ["changes", "dependencies"], gone)
    ]
    await accepted(ask, world.contributor, "createVersion", own, changes={"removeDependencyIds": [gone]})
    assert keys(await current(ask, world.admin, own)) == ["secret"]


async def test_an_old_version_with_a_deleted_dependency_is_activated(
    ask: Ask, world: World, own: str, seen: str
) -> None:
    before = await current(ask, world.admin, own)
    await accepted(ask, world.admin, "createVersion", own, changes={"dependencies": []})
    assert (await delete(ask, world.team_admin, seen))["userErrors"] == []

    await accepted(ask, world.contributor, "activateVersion", own, number=1)

    after = await current(ask, world.admin, own)
    assert [each["id"] for each in after] == [each["id"] for each in before]
    await accepted(ask, world.contributor, "createDraft", own)
    copied = await draft(ask, world.admin, own)
    assert [each | {"id": ""} for each in copied] == [each | {"id": ""} for each in after]


async def test_differences_name_deleted_jobs_and_hide_hidden_ones(
    ask: Ask, world: World, own: str, seen: str, hidden: str
) -> None:
    assert (await delete(ask, world.admin, seen, force=True))["userErrors"] == []
    assert (await delete(ask, world.admin, hidden, force=True))["userErrors"] == []
    gone = [each["id"] for each in await current(ask, world.contributor, own)]
    await accepted(ask, world.contributor, "createVersion", own, changes={"removeDependencyIds": gone})

    for member, key, value in ((world.contributor, gone[0], True), (world.admin, "secret", "secret")):
        found = await job(ask, member, own)
        told = [
            (f"dependencies.{key}", "REMOVED", value, None),
            (f"dependencies.{key}.condition", "REMOVED", "ON_FAILURE", None),
            ("dependencies.seen", "REMOVED", "seen", None),
            ("dependencies.seen.condition", "REMOVED", "ON_FAILURE", None),
        ]
        assert sorted(flat(found["versions"]["nodes"][1]["changes"])) == told
        assert sorted(flat(found["events"]["nodes"][0]["changes"])) == told


async def test_dependents_are_visible_jobs_by_key(ask: Ask, world: World, own: str, seen: str) -> None:
    """A job counts for its current version and its draft, once; an old version doesn't count."""
    await add_dependents(ask, world, own, seen, draft_key="a-draft")
    waits = config(world, dependencies=on(seen))
    past = await ask.create_job(world.contributor, world, jobKey="past", config=waits)
    await accepted(ask, world.contributor, "createVersion", past, changes={"dependencies": []})

    for member, expected in ((world.viewer, ["a-draft", "own"]), (world.admin, ["a-draft", "own", "unseen"])):
        found = (await ask(member, DEPENDENTS, id=seen))["job"]["dependents"]
        assert [each["jobKey"] for each in found["nodes"]] == expected
        assert found["totalCount"] == len(expected)
    first = (await ask(world.admin, DEPENDENTS, id=seen, first=1))["job"]["dependents"]
    rest = await ask(world.admin, DEPENDENTS, id=seen, first=5, after=first["pageInfo"]["endCursor"])
    assert [each["jobKey"] for each in (*first["nodes"], *rest["job"]["dependents"]["nodes"])] == expected


async def test_a_dry_run_shows_dependencies_as_the_change_would(
    ask: Ask, world: World, database: Database, own: str, seen: str, hidden: str
) -> None:
    await accepted(ask, world.contributor, "createDraft", own)
    gone = (await draft(ask, world.contributor, own))[0]["id"]
    assert (await delete(ask, world.admin, hidden, force=True))["userErrors"] == []
    before = await job(ask, world.admin, own)
    query = f"""mutation ($i: UpdateDraftInput!) {{ updateDraft(input: $i) {{ {ERRORS}
        draft {{ {DEPENDENCIES} changes {{ {CHANGES} }} }} }} }}
{VALUE}"""
    changes = {"removeDependencyIds": [gone], "dependencies": on(seen)}

    answers = [
        await ask(world.contributor, query, i={"jobId": own, "changes": changes, "dryRun": dry})
        for dry in (True, False)
    ]

    assert answers[0] == answers[1]
    assert keys(answers[0]["updateDraft"]["draft"]["dependencies"]) == ["seen"]
    assert await job(ask, world.admin, own) != before
    async with AsyncSession(database.reads) as session:
        assert await session.scalar(select(func.count()).select_from(DeletedJob)) == 1


async def test_a_replay_removes_a_dependency_once(ask: Ask, world: World, own: str) -> None:
    gone = (await current(ask, world.contributor, own))[0]["id"]
    values = {"changes": {"removeDependencyIds": [gone]}, "idempotencyKey": "once"}

    await accepted(ask, world.contributor, "createVersion", own, **values)
    await accepted(ask, world.contributor, "createVersion", own, **values)

    found = await job(ask, world.admin, own)
    assert [keys(each["dependencies"]) for each in found["versions"]["nodes"]] == [["secret", "seen"], ["seen"]]


async def test_statements_do_not_grow_with_the_length_of_a_chain(ask: Ask, world: World) -> None:
    counts, last = [], await ask.create_job(world.contributor, world, jobKey="job-0")
    for length in range(1, 6):
        chained = config(world, dependencies=on(last))
        last = await ask.create_job(world.contributor, world, jobKey=f"job-{length}", config=chained)
        await accepted(ask, world.contributor, "createVersion", last, changes={"maxRetries": 1})
        counts.append(len(ask.statements))

    assert len(set(counts)) == 1


async def test_statements_do_not_grow_with_the_number_of_dependencies(ask: Ask, world: World) -> None:
    assert await costs(ask, world, 1) == await costs(ask, world, 30)


async def costs(ask: Ask, world: World, count: int) -> Sequence[int]:
    """Count the statements of a read, a change of the list, a refused and a forced deletion."""
    others = [await ask.create_job(world.contributor, world, jobKey=f"of-{count}-{each}") for each in range(count)]
    filled = config(world, dependencies=on(*others))
    waiting = [
        await ask.create_job(world.contributor, world, jobKey=f"waits-{count}-{each}", config=filled)
        for each in range(count)
    ]
    counts: list[int] = []
    await job(ask, world.contributor, waiting[0])
    counts.append(len(ask.statements))
    await accepted(ask, world.contributor, "createDraft", waiting[0], changes={"dependencies": on(*others)})
    counts.append(len(ask.statements))
    (error,) = (await delete(ask, world.team_admin, others[0]))["userErrors"]
    assert len(error["dependents"]) == count
    counts.append(len(ask.statements))
    assert (await delete(ask, world.team_admin, others[0], force=True))["userErrors"] == []
    counts.append(len(ask.statements))
    return counts
