"""Copies of versions: drafts of earlier ones, clones, and activation in place of a draft."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from testbed.ask import Ask
from testbed.changes import CHANGES, VALUE, flat
from testbed.world import World

ERRORS = "userErrors { __typename code message path }"
JOB = """{ jobKey name description tags revision currentVersion { number message maxRetries dependencies { jobKey } }
  draft { number } teams { nodes { name } } }"""
ANSWERS = {
    "cloneJob": f"job {JOB}",
    "createDraft": "draft { number maxRetries basedOn { number } dependencies { jobKey } }",
    "activateVersion": "version { number } job { revision currentVersion { number } draft { number } }",
}
EVENTS = f"""query ($id: ID!) {{ job(id: $id) {{ events(first: 2) {{ nodes {{
  action message fromVersionNumber toVersionNumber changes {{ {CHANGES} }} }} }} }} }} {VALUE}"""
DRAFT = "query ($id: ID!) { job(id: $id) { draft { number revision } } }"


async def do(ask: Ask, who: Member, name: str, /, **values: Any) -> dict[str, Any]:
    kind = f"{name[0].upper()}{name[1:]}Input"
    shown = ANSWERS.get(name, "job { id }")
    answer: dict[str, Any] = (
        await ask(who, f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {shown} {ERRORS} }} }}", i=values)
    )[name]
    return answer


async def done(ask: Ask, who: Member, name: str, /, **values: Any) -> dict[str, Any]:
    answer = await do(ask, who, name, **values)
    assert answer["userErrors"] == []
    return answer


def codes(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in answer["userErrors"]]


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    """A job with versions 1 to 3, of which 3 is current and 2 depends on a job that the contributor can't see."""
    hidden = await ask.create_job(world.admin, world, jobKey="secret", teamIds=[world.platform.id])
    job_id = await ask.create_job(world.contributor, world, description="Of sales", tags=["sales"])
    changes = {"maxRetries": 2, "dependencies": [{"jobId": hidden}]}
    await done(ask, world.admin, "createVersion", jobId=job_id, changes=changes, message="two")
    changes = {"maxRetries": 3, "dependencies": []}
    await done(ask, world.admin, "createVersion", jobId=job_id, changes=changes, message="three")
    return job_id


async def test_a_draft_copies_an_earlier_version(ask: Ask, world: World, job_id: str) -> None:
    values = {"jobId": job_id, "fromVersion": 2, "changes": {"maxRetries": 4}, "message": "as it was"}
    dry = await done(ask, world.contributor, "createDraft", **values, dryRun=True)
    answer = await done(ask, world.contributor, "createDraft", **values)

    copied = {"number": 4, "maxRetries": 4, "basedOn": {"number": 2}, "dependencies": [{"jobKey": None}]}
    assert dry["draft"] == answer["draft"] == copied
    event = (await ask(world.contributor, EVENTS, id=job_id))["job"]["events"]["nodes"][0]
    shown = [event[name] for name in ("action", "message", "fromVersionNumber", "toVersionNumber")]
    assert shown == ["DRAFT_CREATED", "as it was", 2, 4]
    assert flat(event["changes"]) == [("maxRetries", "CHANGED", 2, 4)]


async def test_a_draft_removes_dependencies_of_the_version_that_it_copies(ask: Ask, world: World, job_id: str) -> None:
    query = "query ($id: ID!) { job(id: $id) { version(number: 2) { dependencies { id } } } }"
    ids = [each["id"] for each in (await ask(world.viewer, query, id=job_id))["job"]["version"]["dependencies"]]
    values = {"jobId": job_id, "changes": {"removeDependencyIds": ids}}

    wrong = await do(ask, world.contributor, "createDraft", **values)
    right = await done(ask, world.contributor, "createDraft", **values, fromVersion=2)

    assert codes(wrong) == [("DEPENDENCY_NOT_FOUND", ["changes", "removeDependencyIds", "0"])]
    assert right["draft"]["dependencies"] == []


@pytest.mark.parametrize(("name", "field"), [("createDraft", "fromVersion"), ("cloneJob", "versionNumber")])
async def test_only_a_published_version_is_copied(ask: Ask, world: World, job_id: str, name: str, field: str) -> None:
    await done(ask, world.contributor, "createDraft", jobId=job_id)
    more: dict[str, Any] = {"jobKey": "a", "name": "A", "teamIds": [world.data_eng.id]} if name == "cloneJob" else {}
    there = [] if name == "cloneJob" else [("DRAFT_EXISTS", ["jobId"])]

    missing = await do(ask, world.contributor, name, jobId=job_id, **more, **{field: 9})
    draft = await do(ask, world.contributor, name, jobId=job_id, **more, **{field: 4})

    assert sorted(codes(missing)) == sorted([("VERSION_NOT_FOUND", [field]), *there])
    assert sorted(codes(draft)) == sorted([("VERSION_NOT_PUBLISHED", [field]), *there])


async def test_an_activation_discards_the_draft(ask: Ask, world: World, job_id: str) -> None:
    await done(ask, world.contributor, "createDraft", jobId=job_id, changes={"timeoutSeconds": 9})
    revision = (await ask(world.viewer, DRAFT, id=job_id))["job"]["draft"]["revision"]
    values = {"jobId": job_id, "number": 1, "discardDraft": True, "message": "incident"}

    refused = await do(ask, world.contributor, "activateVersion", **values | {"discardDraft": False})
    stale = await do(ask, world.contributor, "activateVersion", **values, expectedDraftRevision=revision + 1)
    dry = await done(ask, world.contributor, "activateVersion", **values, dryRun=True)
    answer = await done(ask, world.contributor, "activateVersion", **values, expectedDraftRevision=revision)

    assert codes(refused) == [("DRAFT_EXISTS", ["jobId"])]
    assert codes(stale) == [("STALE_REVISION", ["expectedDraftRevision"])]
    assert dry == answer
    assert answer["job"] == {"revision": 6, "currentVersion": {"number": 1}, "draft": None}
    moved, discarded = (await ask(world.contributor, EVENTS, id=job_id))["job"]["events"]["nodes"]
    assert [moved["action"], moved["message"]] == ["VERSION_ACTIVATED", "incident"]
    assert [discarded["action"], discarded["message"]] == ["DRAFT_DISCARDED", "incident"]
    assert ("timeoutSeconds", "REMOVED", 9, None) in flat(discarded["changes"])
    assert ("source.sqlSnapshot.sql", "REMOVED", "SELECT 1", None) in flat(discarded["changes"])


async def test_an_activation_without_a_draft_discards_nothing(ask: Ask, world: World, job_id: str) -> None:
    values = {"jobId": job_id, "number": 1, "discardDraft": True}

    expecting = await do(ask, world.contributor, "activateVersion", **values, expectedDraftRevision=1)
    answer = await done(ask, world.contributor, "activateVersion", **values)

    assert codes(expecting) == [("DRAFT_NOT_FOUND", ["expectedDraftRevision"])]
    assert answer["job"]["revision"] == 4


async def test_the_current_version_is_activated_in_place_of_a_draft(ask: Ask, world: World, job_id: str) -> None:
    await done(ask, world.contributor, "createDraft", jobId=job_id)

    answer = await done(ask, world.contributor, "activateVersion", jobId=job_id, number=3, discardDraft=True)

    assert answer["job"] == {"revision": 5, "currentVersion": {"number": 3}, "draft": None}
    (event, _) = (await ask(world.contributor, EVENTS, id=job_id))["job"]["events"]["nodes"]
    assert event["action"] == "DRAFT_DISCARDED"


async def test_a_refused_activation_keeps_the_draft(ask: Ask, world: World, job_id: str, database: Database) -> None:
    await done(ask, world.contributor, "createDraft", jobId=job_id)
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(Cluster).where(Cluster.id == world.cluster.id).values(status=ClusterStatus.FAILED))

    answer = await do(ask, world.contributor, "activateVersion", jobId=job_id, number=1, discardDraft=True)

    assert codes(answer) == [("CLUSTER_NOT_ACTIVE", ["number"])]
    assert answer["job"]["draft"] == {"number": 4}


async def test_a_clone_has_the_configuration_of_a_version(ask: Ask, world: World, job_id: str) -> None:
    team_ids = [world.data_eng.id]
    values = {"jobId": job_id, "versionNumber": 2, "jobKey": "copy", "name": " Copy ", "teamIds": team_ids}
    values |= {"message": "for tests", "idempotencyKey": "once"}

    dry = await done(ask, world.contributor, "cloneJob", **values | {"dryRun": True})
    answer = await done(ask, world.contributor, "cloneJob", **values)
    again = await done(ask, world.contributor, "cloneJob", **values)

    current = {"number": 1, "message": "for tests", "maxRetries": 2, "dependencies": [{"jobKey": None}]}
    assert answer["job"] == {
        "jobKey": "copy",
        "name": "Copy",
        "description": "Of sales",
        "tags": ["sales"],
        "revision": 1,
        "currentVersion": current,
        "draft": None,
        "teams": {"nodes": [{"name": "data-eng"}]},
    }
    assert dry == answer == again
    query = """{ jobByKey(jobKey: "copy") {
      currentVersion { dependencies { jobKey } } events { nodes { action message } } } }"""
    shown = (await ask(world.admin, query))["jobByKey"]
    assert shown["currentVersion"]["dependencies"] == [{"jobKey": "secret"}]
    assert shown["events"]["nodes"] == [{"action": "JOB_CREATED", "message": "for tests"}]


async def test_a_clone_may_differ_in_its_description_and_tags(ask: Ask, world: World, job_id: str) -> None:
    values = {"jobId": job_id, "jobKey": "copy", "name": "Copy", "teamIds": [world.data_eng.id]}

    answer = await done(ask, world.contributor, "cloneJob", **values, description=None, tags=[])

    job = answer["job"]
    assert [job["description"], job["tags"], job["currentVersion"]["maxRetries"]] == [None, [], 3]


async def test_a_clone_needs_what_a_new_job_needs(ask: Ask, world: World, job_id: str, database: Database) -> None:
    """A viewer of the job may clone it for a team in which they are a contributor; all problems come at once."""
    values = {"jobId": job_id, "jobKey": "daily-sales-etl", "name": "Copy", "teamIds": [world.data_eng.id]}

    assert codes(await do(ask, world.outsider, "cloneJob", **values)) == [("JOB_NOT_FOUND", ["jobId"])]
    assert codes(await do(ask, world.viewer, "cloneJob", **values)) == [("FORBIDDEN", ["teamIds", "0"])]
    assert codes(await do(ask, world.contributor, "cloneJob", **values)) == [("JOB_KEY_TAKEN", ["jobKey"])]
    wrong = values | {"name": "", "tags": ["!"], "teamIds": [], "versionNumber": 7}
    assert sorted(codes(await do(ask, world.contributor, "cloneJob", **wrong))) == [
        ("INVALID", ["name"]),
        ("INVALID", ["tags", "0"]),
        ("TEAM_REQUIRED", ["teamIds"]),
        ("VERSION_NOT_FOUND", ["versionNumber"]),
    ]
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(Cluster).where(Cluster.id == world.cluster.id).values(status=ClusterStatus.FAILED))
    refused = await do(ask, world.contributor, "cloneJob", **values | {"jobKey": "copy"})
    assert codes(refused) == [("CLUSTER_NOT_ACTIVE", ["jobId"])]
    assert refused["job"] is None


async def test_a_version_that_depends_on_a_deleted_job_is_not_cloned(ask: Ask, world: World, job_id: str) -> None:
    query = 'query { jobByKey(jobKey: "secret") { id } }'
    secret = (await ask(world.admin, query))["jobByKey"]["id"]
    delete = "mutation ($i: DeleteJobInput!) { deleteJob(input: $i) { userErrors { code } } }"
    await ask(world.admin, delete, i={"jobId": secret})
    values = {"jobId": job_id, "jobKey": "copy", "name": "Copy", "teamIds": [world.data_eng.id]}

    refused = await do(ask, world.contributor, "cloneJob", **values, versionNumber=2)
    await done(ask, world.contributor, "cloneJob", **values)

    assert codes(refused) == [("DEPENDENCY_NOT_FOUND", ["jobId"])]
    (message,) = [each["message"] for each in refused["userErrors"]]
    assert message.endswith(
        " was deleted. Choose a version without it with versionNumber, or publish one and clone that."
    )


async def test_a_draft_says_who_updated_it(ask: Ask, world: World, job_id: str) -> None:
    query = """query ($id: ID!) { job(id: $id) { updatedAt activatedAt currentVersion { publishedAt }
      draft { createdAt updatedAt createdBy { displayName } updatedBy { displayName } } } }"""
    await done(ask, world.contributor, "createDraft", jobId=job_id)
    before = (await ask(world.viewer, query, id=job_id))["job"]
    await done(ask, world.admin, "updateDraft", jobId=job_id, changes={"maxRetries": 9})
    after = (await ask(world.viewer, query, id=job_id))["job"]

    draft = before["draft"]
    assert draft["updatedAt"] == draft["createdAt"]
    assert draft["updatedBy"] == draft["createdBy"] == {"displayName": "contributor"}
    assert after["draft"]["updatedAt"] > draft["updatedAt"]
    assert [after["draft"][name]["displayName"] for name in ("createdBy", "updatedBy")] == ["contributor", "admin"]
    assert before["activatedAt"] == after["activatedAt"] == before["currentVersion"]["publishedAt"]


async def test_lists_know_when_current_versions_became_current(ask: Ask, world: World, job_id: str) -> None:
    query = """{ jobs(filter: {keys: ["daily-sales-etl"]}) { nodes { createdAt activatedAt
      currentVersion { updatedAt updatedBy { displayName } } } } }"""
    await done(ask, world.contributor, "activateVersion", jobId=job_id, number=1)

    (node,) = (await ask(world.viewer, query))["jobs"]["nodes"]

    assert node["activatedAt"] > node["createdAt"] == node["currentVersion"]["updatedAt"]
    assert node["currentVersion"]["updatedBy"] == {"displayName": "contributor"}
