"""Tags of jobs: set by mutations, kept in the history, used by filters."""

from typing import Any

import pytest

from testbed.ask import Ask, job_input
from testbed.world import World

CREATE = (
    "mutation ($input: CreateJobInput!) { createJob(input: $input) { job { id } userErrors { code path message } } }"
)
UPDATE = """
mutation ($input: UpdateJobInput!) {
  updateJob(input: $input) { job { tags revision } userErrors { code path message } }
}
"""
TAGS = "query ($id: ID!) { job(id: $id) { tags } }"
EVENTS = """
query ($id: ID!) { job(id: $id) { events { nodes {
  action changes { path kind before { ... on TextValue { text } } after { ... on TextValue { text } } }
} } } }
"""
LISTS = """
query ($filter: JobFilter, $team: ID!, $cluster: ID!) {
  jobs(filter: $filter, sortBy: JOB_KEY) { totalCount nodes { jobKey } }
  team(id: $team) { jobs(filter: $filter, sortBy: JOB_KEY) { totalCount nodes { jobKey } } }
  cluster(id: $cluster) { jobs(filter: $filter, sortBy: JOB_KEY) { totalCount nodes { jobKey } } }
}
"""
TOO_MANY = [f"t{number}" for number in range(21)]


async def test_tags_are_shown_in_alphabetical_order_and_once(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, tags=["team:finance", "daily", "daily", "9/5"])

    assert await ask(world.viewer, TAGS, id=job_id) == {"job": {"tags": ["9/5", "daily", "team:finance"]}}


async def test_an_update_replaces_the_tags(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, tags=["a", "b"])
    for given, tags, revision in (({"name": "N"}, "a b", 2), ({"tags": ["c", "b"]}, "b c", 3), ({"tags": []}, "", 4)):
        done = (await ask(world.contributor, UPDATE, input={"jobId": job_id, **given}))["updateJob"]
        assert done == {"job": {"tags": tags.split(), "revision": revision}, "userErrors": []}


async def test_equal_tags_change_nothing(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, tags=["a", "b"])
    done = (await ask(world.contributor, UPDATE, input={"jobId": job_id, "tags": ["b", "a", "b"]}))["updateJob"]

    assert done == {"job": {"tags": ["a", "b"], "revision": 1}, "userErrors": []}


async def test_the_history_has_each_added_and_removed_tag(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, tags=["a", "b"])
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "tags": ["b", "c"]})

    updated, created = (await ask(world.viewer, EVENTS, id=job_id))["job"]["events"]["nodes"]
    assert updated["changes"] == [
        {"path": ["tags"], "kind": "REMOVED", "before": {"text": "a"}, "after": None},
        {"path": ["tags"], "kind": "ADDED", "before": None, "after": {"text": "c"}},
    ]
    assert [each["after"]["text"] for each in created["changes"] if each["path"] == ["tags"]] == ["a", "b"]


@pytest.mark.parametrize("tag", ["", "A", "ä", "-a", ":a", "a b", "a\n", "x" * 64])
async def test_a_tag_of_another_form_is_refused(ask: Ask, world: World, tag: str) -> None:
    done = await ask(world.contributor, CREATE, input=job_input(world, tags=["x" * 63, tag]))

    assert [(each["code"], each["path"]) for each in done["createJob"]["userErrors"]] == [("INVALID", ["tags", "1"])]


async def test_too_many_tags_are_refused(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, tags=[*TOO_MANY[:20], "t0"])
    for given in (TOO_MANY, None):
        (problem,) = (await ask(world.contributor, UPDATE, input={"jobId": job_id, "tags": given}))["updateJob"][
            "userErrors"
        ]
        assert (problem["code"], problem["path"]) == ("INVALID", ["tags"])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"tagsAnyOf": ["daily"]}, ["both", "daily"]),
        ({"tagsAnyOf": ["daily", "finance", "none"]}, ["both", "daily", "finance"]),
        ({"tagsAllOf": ["daily", "finance", "daily"]}, ["both"]),
        ({"tagsAllOf": ["daily"]}, ["both", "daily"]),
        ({"tagsAllOf": ["daily", "none"]}, []),
        ({"tagsAllOf": ["daily"], "tagsAnyOf": ["finance"]}, ["both"]),
        ({"tagsAnyOf": []}, []),
        ({"tagsAllOf": []}, []),
        ({"tagsAllOf": [], "tagsAnyOf": ["daily"]}, []),
        ({"tagsAnyOf": ["daily"], "search": "bot"}, ["both"]),
    ],
)
async def test_jobs_are_found_by_their_tags(
    ask: Ask, world: World, wanted: dict[str, Any], expected: list[str]
) -> None:
    for key, tags in {"both": ["daily", "finance"], "daily": ["daily"], "finance": ["finance"], "none": []}.items():
        await ask.create_job(world.contributor, world, jobKey=key, tags=tags)
    await ask.create_job(world.admin, world, jobKey="hidden", tags=["daily"], teamIds=[world.platform.id])

    for member in (world.viewer, world.contributor):
        data = await ask(member, LISTS, filter=wanted, team=world.data_eng.id, cluster=world.cluster.id)
        for page in (data["jobs"], data["team"]["jobs"], data["cluster"]["jobs"]):
            assert [each["jobKey"] for each in page["nodes"]] == expected
            assert page["totalCount"] == len(expected)


@pytest.mark.parametrize("name", ["tagsAnyOf", "tagsAllOf", "ids", "keys", "teamIds", "createdByIds"])
async def test_no_job_matches_an_unstorable_text(ask: Ask, world: World, name: str) -> None:
    await ask.create_job(world.contributor, world, tags=["daily"])
    query = "query ($filter: JobFilter) { jobs(filter: $filter) { nodes { id } totalCount } }"

    for bad in ("\0", "\ud800"):
        found = await ask(world.contributor, query, filter={name: [bad]})
        assert found == {"jobs": {"nodes": [], "totalCount": 0}}
