"""`JobVersion.input`: what is read can be sent back, and is then the same configuration."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.ask import Ask, config, job_input
from testbed.world import World

READ = """query ($id: ID!) { job(id: $id) { currentVersion {
  number input changes { path } dependencies { condition jobKey } } } }"""
CREATE_VERSION = """mutation ($i: CreateVersionInput!) { createVersion(input: $i) {
  version { number input changes { path } dependencies { condition jobKey } } userErrors { message path } } }"""
CREATE_JOB = """mutation ($i: CreateJobInput!) { createJob(input: $i) {
  job { id currentVersion { input } } userErrors { message path } } }"""
CREATE_DRAFT = "mutation ($i: CreateDraftInput!) { createDraft(input: $i) { userErrors { message } } }"

words = st.text(st.characters(exclude_categories=["C"], exclude_characters="\0"), min_size=1, max_size=5).filter(
    lambda each: bool(each.strip())
)
names = st.from_regex("[a-z]{1,5}", fullmatch=True)
counts = st.integers(0, 3)
arguments = st.lists(words, max_size=3)
schedules = st.one_of(
    st.none(),
    st.fixed_dictionaries({"cron": st.just("0 6 * * *")}, optional={"timezone": st.just("Asia/Tokyo")}),
    st.fixed_dictionaries(
        {"cron": st.just("@daily"), "concurrencyPolicy": st.just("ALLOW"), "maxConcurrentRuns": st.integers(1, 9)},
        optional={"missedSchedulePolicy": st.sampled_from(["SKIP", "RUN_ONCE", "RUN_ALL"])},
    ),
)
computes = st.one_of(
    st.fixed_dictionaries({}, optional={"driverInstanceType": names}),
    st.fixed_dictionaries(
        {"executionMode": st.just("CLUSTER")}, optional={"executorInstanceType": names, "executorCount": counts}
    ),
)
variables = st.one_of(
    st.fixed_dictionaries({"name": names, "value": st.one_of(st.just(""), words)}),
    st.fixed_dictionaries({"name": names, "secretReference": names}),
)


def sources(query_ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    wheel = {"packageName": names, "entryPoint": names}
    return st.one_of(
        st.fixed_dictionaries(
            {"sqlSnapshot": st.fixed_dictionaries({"sql": words}, optional={"origin": names})},
        ),
        st.fixed_dictionaries(
            {"savedQueries": st.fixed_dictionaries({"queryIds": st.lists(st.sampled_from(query_ids), min_size=1)})}
        ),
        st.fixed_dictionaries(
            {"pythonWheel": st.fixed_dictionaries(wheel, optional={"version": names, "arguments": arguments})}
        ),
        st.fixed_dictionaries(
            {"pythonFile": st.fixed_dictionaries({"path": names}, optional={"arguments": arguments})}
        ),
    )


def configs(world: World, upstream: str) -> st.SearchStrategy[dict[str, Any]]:
    dependency = st.fixed_dictionaries(
        {"jobId": st.just(upstream)}, optional={"condition": st.sampled_from(["ON_SUCCESS", "ON_FAILURE"])}
    )
    return st.fixed_dictionaries(
        {"clusterId": st.just(world.cluster.id), "source": sources([each.id for each in world.queries[:3]])},
        optional={
            "schedule": schedules,
            "dependencies": st.lists(dependency, max_size=1),
            "compute": computes,
            "environment": st.lists(variables, max_size=3, unique_by=lambda each: str(each["name"])),
            "maxRetries": counts,
            "retryDelaySeconds": counts,
            "timeoutSeconds": st.one_of(st.none(), st.integers(1, 9)),
        },
    )


@settings(
    max_examples=25,
    derandomize=True,
    database=None,
)
@given(data=st.data())
async def test_what_is_read_can_be_sent_back(ask: Ask, world: World, data: st.DataObject) -> None:
    key = f"job-{next(numbers)}"
    upstream = await ask.create_job(world.contributor, world, jobKey=f"{key}-upstream")
    given_config = data.draw(configs(world, upstream))
    job_id = await ask.create_job(world.contributor, world, jobKey=key, config=given_config)
    read = (await ask(world.contributor, READ, id=job_id))["job"]["currentVersion"]
    sent = json.loads(json.dumps(read["input"]))

    made = await ask(world.contributor, CREATE_VERSION, i={"jobId": job_id, "changes": sent})
    copied = await ask(world.contributor, CREATE_JOB, i=job_input(world, jobKey=f"{key}-copy", config=sent))

    assert made["createVersion"]["userErrors"] == []
    version = made["createVersion"]["version"]
    assert (version["number"], version["changes"]) == (2, [])
    assert version["input"] == read["input"]
    assert version["dependencies"] == read["dependencies"]
    assert copied["createJob"]["userErrors"] == []
    assert copied["createJob"]["job"]["currentVersion"]["input"] == read["input"]


numbers = iter(range(1, 10_000))


async def test_it_replaces_every_part_of_another_version(ask: Ask, world: World) -> None:
    """A part that the version doesn't have is null or empty, so that it clears that of the current version."""
    job_id = await ask.create_job(world.contributor, world)
    first = (await ask(world.contributor, READ, id=job_id))["job"]["currentVersion"]["input"]
    changes = {
        "schedule": {"cron": "0 6 * * *"},
        "environment": [{"name": "A", "value": "b"}],
        "timeoutSeconds": 9,
        "maxRetries": 2,
        "compute": {"driverInstanceType": "m6i.large"},
    }
    await ask(world.contributor, CREATE_VERSION, i={"jobId": job_id, "changes": changes})

    back = await ask(world.contributor, CREATE_VERSION, i={"jobId": job_id, "changes": first})

    assert back["createVersion"]["version"]["input"] == first
    assert first == {
        "clusterId": world.cluster.id,
        "source": {"sqlSnapshot": {"sql": "SELECT 1"}},
        "schedule": None,
        "dependencies": [],
        "compute": {"executionMode": "STANDALONE"},
        "environment": [],
        "maxRetries": 0,
        "retryDelaySeconds": 0,
        "timeoutSeconds": None,
    }


async def test_hidden_and_deleted_dependencies_are_left_out_and_stay(ask: Ask, world: World) -> None:
    hidden = await ask.create_job(world.admin, world, jobKey="secret", teamIds=[world.platform.id])
    seen = await ask.create_job(world.contributor, world, jobKey="seen")
    given_config = config(world, dependencies=[{"jobId": hidden}, {"jobId": seen, "condition": "ON_COMPLETION"}])
    job_id = await ask.create_job(world.admin, world, config=given_config)
    read = (await ask(world.contributor, READ, id=job_id))["job"]["currentVersion"]

    made = await ask(world.contributor, CREATE_VERSION, i={"jobId": job_id, "changes": read["input"]})

    assert read["input"]["dependencies"] == [{"jobId": seen, "condition": "ON_COMPLETION"}]
    assert made["createVersion"]["version"]["changes"] == []
    shown = (await ask(world.admin, READ, id=job_id))["job"]["currentVersion"]["dependencies"]
    assert [each["jobKey"] for each in shown] == ["secret", "seen"]


async def test_inputs_of_many_versions_are_read_by_constant_statements(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    query = "query ($id: ID!) { job(id: $id) { versions { nodes { input } } } }"
    await ask(world.contributor, query, id=job_id)
    one = len(ask.statements)
    for retries in range(1, 4):
        await ask(world.contributor, CREATE_VERSION, i={"jobId": job_id, "changes": {"maxRetries": retries}})

    await ask(world.contributor, query, id=job_id)

    assert len(ask.statements) == one
