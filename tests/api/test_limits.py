"""Limits of lists, instance types, pages and ids: a value at the limit is accepted, one over it is refused."""

from typing import Any

import pytest

from testbed.ask import CREATE_JOB, Ask, Failed, config, job_input
from testbed.world import World

WHEEL = {"packageName": "etl", "entryPoint": "main"}
SPREAD = {"executionMode": "CLUSTER"}


async def codes(ask: Ask, world: World, **values: Any) -> list[tuple[str, list[str]]]:
    wanted = job_input(world, config=config(world, **values))
    errors = (await ask(world.contributor, CREATE_JOB, input=wanted))["createJob"]["userErrors"]
    return [(each["code"], each["path"]) for each in errors]


def variables(count: int) -> list[dict[str, str]]:
    return [{"name": f"NAME_{number}", "value": "x"} for number in range(count)]


@pytest.mark.parametrize(
    ("name", "at", "over"),
    [
        ("environment", variables(100), variables(101)),
        (
            "source",
            {"pythonWheel": WHEEL | {"arguments": ["a"] * 100}},
            {"pythonWheel": WHEEL | {"arguments": ["a"] * 101}},
        ),
        (
            "source",
            {"pythonFile": {"path": "a.py", "arguments": ["a" * 8191]}},
            {"pythonFile": {"path": "a.py", "arguments": ["a" * 8192]}},
        ),
        ("source", {"pythonFile": {"path": "p" * 1023}}, {"pythonFile": {"path": "p" * 1024}}),
        ("compute", {"driverInstanceType": "d" * 255}, {"driverInstanceType": "d" * 256}),
        ("compute", SPREAD | {"executorInstanceType": "e" * 255}, SPREAD | {"executorInstanceType": "e" * 256}),
        ("compute", SPREAD | {"executorInstanceType": "e"}, SPREAD | {"executorInstanceType": ""}),
        ("environment", [{"name": "N" * 255, "value": "v" * 8191}], [{"name": "N", "value": "v" * 8192}]),
    ],
    ids=range(8),
)
async def test_a_configuration_over_its_limit_is_refused(ask: Ask, world: World, name: str, at: Any, over: Any) -> None:
    refused = await codes(ask, world, **{name: over})

    assert {code for code, _ in refused} == {"INVALID"}
    assert all(path[:2] == ["config", name] for _, path in refused)
    assert await codes(ask, world, **{name: at}) == []


async def test_a_job_has_at_most_100_dependencies(ask: Ask, world: World) -> None:
    ids = [await ask.create_job(world.admin, world, jobKey=f"job-{number}") for number in range(101)]
    waits = [{"jobId": each} for each in ids]

    assert await codes(ask, world, dependencies=waits) == [("INVALID", ["config", "dependencies"])]
    assert await codes(ask, world, dependencies=waits[:100]) == []


async def test_nodes_takes_at_most_100_ids(ask: Ask, world: World) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [world.viewer.id] * 100

    assert (await ask(world.viewer, query, ids=ids))["nodes"] == [{"id": world.viewer.id}] * 100
    with pytest.raises(Failed, match="at most 100"):
        await ask(world.viewer, query, ids=[*ids, "JB0"])


@pytest.mark.parametrize("bad", ["\0", "\ud800", "JB\0", "x" * 10_000], ids=["null", "surrogate", "inside", "long"])
@pytest.mark.parametrize("field", ["job(id: $text)", "jobByKey(jobKey: $text)", "node(id: $text)", "team(id: $text)"])
async def test_unstorable_ids_are_not_found_by_queries(ask: Ask, world: World, field: str, bad: str) -> None:
    kind = "String" if "Key" in field else "ID"
    query = f"query ($text: {kind}!) {{ it: {field} {{ id }} }}"

    assert await ask(world.admin, query, text=bad) == {"it": None}
    assert (await ask(world.admin, "{ me { actor { id } } }"))["me"]["actor"] == {"id": world.admin.id}


async def test_unstorable_ids_hide_no_others(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.admin, world)
    query = "query ($ids: [ID!]!, $bad: ID!) { nodes(ids: $ids) { id } a: job(id: $bad) { id } b: job(id: %s) { id } }"

    found = await ask(world.admin, query % f'"{job_id}"', ids=["JB\0", job_id], bad="JB\0")

    assert found == {"nodes": [None, {"id": job_id}], "a": None, "b": {"id": job_id}}


@pytest.mark.parametrize("bad", ["JB\0", "\ud800"], ids=["null", "surrogate"])
async def test_unstorable_ids_are_not_found_by_mutations(ask: Ask, world: World, bad: str) -> None:
    job_id = await ask.create_job(world.admin, world)
    query = """
      mutation (
        $name: UpdateJobInput!, $bad: UpdateJobInput!, $teams: AddTeamsToJobInput!, $version: CreateVersionInput!
      ) {
        named: updateJob(input: $name) { userErrors { code path } }
        job: updateJob(input: $bad) { userErrors { code path } }
        teams: addTeamsToJob(input: $teams) { userErrors { code path } }
        version: createVersion(input: $version) { userErrors { code path } }
      }
    """
    source = {"savedQueries": {"queryIds": [bad]}}
    changes = {"clusterId": bad, "source": source, "dependencies": [{"jobId": bad}]}

    told = await ask(
        world.admin,
        query,
        name={"jobId": job_id, "name": "Named"},
        bad={"jobId": bad, "name": "Named"},
        teams={"jobId": job_id, "teamIds": [bad]},
        version={"jobId": job_id, "changes": changes},
    )

    assert {name: [(each["code"], ".".join(each["path"])) for each in told[name]["userErrors"]] for name in told} == {
        "named": [],
        "job": [("JOB_NOT_FOUND", "jobId")],
        "teams": [("TEAM_NOT_FOUND", "teamIds.0")],
        "version": [
            ("CLUSTER_NOT_FOUND", "changes.clusterId"),
            ("SAVED_QUERY_NOT_FOUND", "changes.source.savedQueries.queryIds.0"),
            ("JOB_NOT_FOUND", "changes.dependencies.0.jobId"),
        ],
    }
