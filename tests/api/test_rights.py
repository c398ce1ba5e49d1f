"""Permissions on every path to a job, for every role, in the member's team, another team and another organization."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import GraphQLObjectType

from mainsheet.executor import core_schema
from mainsheet.models.member import Member
from mainsheet.models.roles import JobPermission
from mainsheet.schema.api import api
from testbed.ask import Ask
from testbed.world import World

Jobs = Mapping[str, Mapping[str, str]]
SEES = {
    "admin": {"own", "viewed", "hidden"},
    "auditor": {"own", "viewed", "hidden"},
    "team_admin": {"own"},
    "contributor": {"own", "viewed"},
    "viewer": {"own"},
    "outsider": set(),
    "abroad": {"abroad"},
}
VIEW, EDIT, RUN, TEAMS, DELETE = JobPermission
MAY = {
    "admin": {"own": set(JobPermission), "viewed": set(JobPermission), "hidden": set(JobPermission)},
    "auditor": {"own": {VIEW}, "viewed": {VIEW}, "hidden": {VIEW}},
    "team_admin": {"own": set(JobPermission)},
    "contributor": {"own": {VIEW, EDIT, RUN}, "viewed": {VIEW}},
    "viewer": {"own": {VIEW}},
    "outsider": {},
    "abroad": {"abroad": set(JobPermission)},
}
BY_ID = {
    "job": "query ($id: ID!) { job(id: $id) { id } }",
    "jobByKey": "query ($key: String!) { jobByKey(jobKey: $key) { id } }",
    "node": "query ($id: ID!) { node(id: $id) { id } }",
    "node, a version": "query ($version: ID!) { node(id: $version) { id } }",
    "node, an event": "query ($event: ID!) { node(id: $event) { id } }",
    "nodes": "query ($id: ID!) { nodes(ids: [$id]) { id } }",
}
LISTS = {
    "jobs": "{ jobs { totalCount nodes { jobKey } } }",
    "jobs, by cursor": "{ jobs(last: 100) { totalCount nodes { jobKey } } }",
    "jobs, found by a text": '{ jobs(filter: {search: "job-"}) { totalCount nodes { jobKey } } }',
    "me": "{ me { jobs { totalCount nodes { jobKey } } } }",
    "me, through teams": "{ me { teams { nodes { jobs { totalCount nodes { jobKey } } } } } }",
    "teams": "{ teams { nodes { jobs { totalCount nodes { jobKey } } } } }",
    "team": "query ($team: ID!) { team(id: $team) { jobs { totalCount nodes { jobKey } } } }",
    "clusters": "{ clusters { nodes { jobs { totalCount nodes { jobKey } } } } }",
    "cluster": "query ($cluster: ID!) { cluster(id: $cluster) { jobs { totalCount nodes { jobKey } } } }",
    "organization": "{ organization { id } jobs { totalCount nodes { jobKey } } }",
}
NO_JOBS = {
    "savedQuery",
    "savedQueries",
    "events",
    "runs",
    "member",
    "members",
    "serviceAccount",
    "serviceAccounts",
    "accessTokens",
    "webhook",
    "webhooks",
    "memberByExternalId",
    "serviceAccountByExternalId",
    "teamByExternalId",  # whose jobs are those of `team`
    "clusterByExternalId",
}
CHANGES = {
    EDIT: "mutation ($id: ID!) { createDraft(input: {jobId: $id, dryRun: true}) { userErrors { code } } }",
    RUN: "mutation ($id: ID!) { triggerRun(input: {jobId: $id}) { userErrors { code } } }",
    TEAMS: """mutation ($id: ID!) {
        removeTeamFromJob(input: {jobId: $id, teamId: "TM0"}) { userErrors { code } } }""",
    DELETE: "mutation ($id: ID!) { deleteJob(input: {jobId: $id}) { userErrors { code } } }",
}
PERMISSIONS = "query ($id: ID!) { job(id: $id) { viewerPermissions } }"
SHOWN = """query ($key: String!) { jobByKey(jobKey: $key) {
    id currentVersion { id } events { nodes { id } } teams { nodes { id } } } }"""


@pytest.fixture
async def jobs(ask: Ask, world: World) -> Jobs:
    """Create a job for each team, and one in the other organization."""
    teams = {"own": world.data_eng, "viewed": world.analytics, "hidden": world.platform}
    shared: dict[str, dict[str, Any]] = {name: {"teamIds": [team.id]} for name, team in teams.items()}
    foreign = {"clusterId": world.foreign.cluster.id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    shared["abroad"] = {"teamIds": [world.foreign.team.id], "config": foreign}
    made = {}
    for name, values in shared.items():
        by = world.foreign.admin if name == "abroad" else world.admin
        await ask.create_job(by, world, jobKey=f"job-{name}", **values)
        shown = (await ask(by, SHOWN, key=f"job-{name}"))["jobByKey"]
        made[name] = {
            "id": shown["id"],
            "key": f"job-{name}",
            "version": shown["currentVersion"]["id"],
            "event": shown["events"]["nodes"][0]["id"],
            "team": shown["teams"]["nodes"][0]["id"],
            "cluster": world.foreign.cluster.id if name == "abroad" else world.cluster.id,
        }
    return made


def member(world: World, name: str) -> Member:
    return world.foreign.admin if name == "abroad" else getattr(world, name)


def used(query: str, values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if f"${name}:" in query}


def keys(data: Any) -> list[str]:
    """Return the keys of all jobs in a response."""
    match data:
        case {"jobKey": str(key)}:
            return [key]
        case dict():
            return [key for each in data.values() for key in keys(each)]
        case list():
            return [key for each in data for key in keys(each)]
    return []


def counted(data: Any) -> int:
    match data:
        case {"totalCount": int(count)}:
            return count
        case dict():
            return sum(map(counted, data.values()))
        case list():
            return sum(map(counted, data))
    return 0


def test_every_path_to_a_job_is_tested() -> None:
    query = core_schema(api).query_type
    assert isinstance(query, GraphQLObjectType)
    tried = {name.partition(",")[0] for name in (*BY_ID, *LISTS)}

    assert tried | NO_JOBS == set(query.fields)


@pytest.mark.parametrize("who", SEES)
async def test_hidden_jobs_are_absent_on_every_path(ask: Ask, world: World, jobs: Jobs, who: str) -> None:
    for query in BY_ID.values():
        for name, values in jobs.items():
            (found,) = (await ask(member(world, who), query, **used(query, values))).values()
            found = found[0] if isinstance(found, list) else found
            assert (found is not None) is (name in SEES[who]), (query, name)


@pytest.mark.parametrize("who", SEES)
async def test_lists_and_totals_have_only_visible_jobs(ask: Ask, world: World, jobs: Jobs, who: str) -> None:
    for title, query in LISTS.items():
        asked = [values for name, values in jobs.items() if "$" in query] or [{}]
        answers = [await ask(member(world, who), query, **used(query, values)) for values in asked]
        seen = {key.removeprefix("job-") for key in keys(answers)}
        assert seen <= SEES[who], title
        if "team" not in title:
            assert seen == SEES[who], title
        assert counted(answers) == len(keys(answers)), title


@pytest.mark.parametrize("who", SEES)
async def test_viewer_permissions_agree_with_mutations(ask: Ask, world: World, jobs: Jobs, who: str) -> None:
    for name, values in jobs.items():
        job = (await ask(member(world, who), PERMISSIONS, id=values["id"]))["job"]
        shown = set() if job is None else {JobPermission(each) for each in job["viewerPermissions"]}
        assert shown == MAY[who].get(name, set())
        for permission, change in CHANGES.items():
            (answer,) = (await ask(member(world, who), change, **used(change, values))).values()
            codes = [error["code"] for error in answer["userErrors"]]
            if job is None:
                assert codes == ["JOB_NOT_FOUND"]
            else:
                assert (codes == ["FORBIDDEN"]) is (permission not in shown), (name, permission, codes)


async def test_a_hidden_dependency_is_null(ask: Ask, world: World, jobs: Jobs) -> None:
    change = """mutation ($id: ID!, $other: ID!) {
        createVersion(input: {jobId: $id, changes: {dependencies: [{jobId: $other}]}}) { userErrors { code } } }"""
    query = """query ($id: ID!) { job(id: $id) { currentVersion {
        dependencies { job { jobKey } condition } changes { path } } } }"""
    made = await ask(world.admin, change, id=jobs["own"]["id"], other=jobs["hidden"]["id"])
    assert made["createVersion"]["userErrors"] == []

    seen = {
        who: (await ask(member(world, who), query, id=jobs["own"]["id"]))["job"]["currentVersion"]
        for who in ("admin", "viewer")
    }

    assert keys(seen["admin"]) == ["job-hidden"]
    assert seen["viewer"]["dependencies"] == [{"job": None, "condition": "ON_SUCCESS"}]
    assert "job-hidden" not in str(seen["viewer"])
