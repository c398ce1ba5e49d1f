"""The jobs of a saved query, of their creator, and of a cluster: only those that the caller sees."""

import pytest

from testbed.ask import Ask, config
from testbed.world import World

OF_QUERY = """
query ($filter: JobFilter) {
  savedQueries { nodes { id jobs(filter: $filter, sortBy: JOB_KEY) { totalCount nodes { jobKey } } } }
}
"""
OF_CREATOR = """
query ($id: ID!, $filter: JobFilter) { node(id: $id) { ... on Actor {
  jobsCreated(filter: $filter, sortBy: JOB_KEY, sortDirection: DESC) { totalCount nodes { jobKey } }
} } }
"""
COUNTS = "{ clusters { nodes { id jobCount } } }"
CHANGE = "mutation ($input: CreateVersionInput!) { createVersion(input: $input) { userErrors { code } } }"


@pytest.fixture(autouse=True)
async def jobs(ask: Ask, world: World) -> None:
    """`old` ran the first query in its version 1, `twice` runs it twice, and the viewer can't see `hidden`."""
    first, second = world.queries[0].id, world.queries[1].id
    sources = {"old": [first], "twice": [first, second, first]}
    runs = {name: config(world, source={"savedQueries": {"queryIds": ids}}) for name, ids in sources.items()}
    for name in ("old", "twice"):
        await ask.create_job(world.contributor, world, jobKey=name, config=runs[name])
    await ask.create_job(world.admin, world, jobKey="hidden", config=runs["twice"], teamIds=[world.platform.id])
    old = (await ask(world.admin, '{ jobByKey(jobKey: "old") { id } }'))["jobByKey"]["id"]
    change = {"jobId": old, "changes": {"source": {"savedQueries": {"queryIds": [second]}}}}
    assert (await ask(world.contributor, CHANGE, input=change))["createVersion"]["userErrors"] == []


async def test_a_saved_query_has_the_jobs_that_run_it_now(ask: Ask, world: World) -> None:
    async def found(who: str, **wanted: object) -> dict[str, list[str]]:
        nodes = (await ask(getattr(world, who), OF_QUERY, filter=wanted))["savedQueries"]["nodes"]
        assert all(each["jobs"]["totalCount"] == len(each["jobs"]["nodes"]) for each in nodes)
        return {each["id"]: [job["jobKey"] for job in each["jobs"]["nodes"]] for each in nodes}

    first, second, third = (each.id for each in world.queries[:3])
    assert (await found("viewer"))[first] == ["twice"]
    assert (await found("viewer"))[second] == ["old", "twice"]
    assert (await found("viewer"))[third] == []
    assert (await found("admin"))[first] == ["hidden", "twice"]
    assert (await found("admin", search="old"))[second] == ["old"]


async def test_an_actor_has_the_jobs_that_it_created(ask: Ask, world: World) -> None:
    async def found(who: str, creator: str, **wanted: object) -> list[str]:
        data = await ask(getattr(world, who), OF_CREATOR, id=getattr(world, creator).id, filter=wanted)
        jobs = data["node"]["jobsCreated"]
        assert jobs["totalCount"] == len(jobs["nodes"])
        return [each["jobKey"] for each in jobs["nodes"]]

    assert await found("viewer", "contributor") == ["twice", "old"]
    assert await found("viewer", "contributor", keys=["old"]) == ["old"]
    assert await found("viewer", "admin") == []
    assert await found("auditor", "admin") == ["hidden"]


async def test_a_cluster_counts_its_visible_jobs(ask: Ask, world: World) -> None:
    for who, count in (("viewer", 2), ("auditor", 3), ("outsider", 0)):
        nodes = (await ask(getattr(world, who), COUNTS))["clusters"]["nodes"]
        counts = {each["id"]: each["jobCount"] for each in nodes}
        assert counts == {**dict.fromkeys(counts, 0), world.cluster.id: count}


async def test_a_saved_query_has_all_versions_that_run_it(ask: Ask, world: World) -> None:
    old = (await ask(world.admin, '{ jobByKey(jobKey: "old") { id } }'))["jobByKey"]["id"]
    draft = "mutation ($id: ID!) { createDraft(input: {jobId: $id}) { userErrors { code } } }"
    await ask(world.contributor, draft, id=old)
    query = "{ savedQueries { nodes { id versions { totalCount nodes { number job { jobKey } } } } } }"

    async def found(who: str) -> dict[str, list[tuple[str, int]]]:
        nodes = (await ask(getattr(world, who), query))["savedQueries"]["nodes"]
        assert all(each["versions"]["totalCount"] == len(each["versions"]["nodes"]) for each in nodes)
        return {
            each["id"]: [(version["job"]["jobKey"], version["number"]) for version in each["versions"]["nodes"]]
            for each in nodes
        }

    first, second, *others = [each.id for each in world.queries]
    own = {first: [("old", 1), ("twice", 1)], second: [("twice", 1), ("old", 2), ("old", 3)]}
    assert await found("viewer") == own | {query_id: [] for query_id in others}
    everything = {first: [*own[first], ("hidden", 1)], second: [("twice", 1), ("hidden", 1), ("old", 2), ("old", 3)]}
    assert await found("admin") == everything | {query_id: [] for query_id in others}
    assert await found("outsider") == {query.id: [] for query in world.queries}
