"""Each expected error is data with a code, a path and details, and a refused mutation changes nothing.

Longer than 300 lines: one subject, of which most lines are cases and their data.
"""

from typing import Any

import pytest

from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.member import Member
from testbed.ask import CREATE_JOB, Ask, config, job_input
from testbed.world import World

NOBODY = "JB00000000000000ZZZZ"
STATE = """
query ($id: ID!) { job(id: $id) {
  revision name draft { revision } versions { totalCount } teams { totalCount } events { totalCount }
} }
"""


async def refused(
    ask: Ask, member: Member, name: str, job_id: str | None = None, /, more: str = "", **values: Any
) -> list[dict[str, Any]]:
    """Return the user errors. Asserts that nothing changed."""
    before = await ask(member, STATE, id=job_id or NOBODY)
    kind = name[0].upper() + name[1:]
    query = f"""mutation ($input: {kind}Input!) {{
      {name}(input: $input) {{ userErrors {{ code message path {more} }} }}
    }}"""
    wanted = values if job_id is None else {"jobId": job_id, **values}
    problems: list[dict[str, Any]] = (await ask(member, query, input=wanted))[name]["userErrors"]
    assert problems
    assert await ask(member, STATE, id=job_id or NOBODY) == before
    assert all(is_sentence(each.pop("message")) for each in problems)
    return problems


def is_sentence(message: str) -> bool:
    return message.endswith(".") and (message[0].isupper() or message[0] == "'")


def error(code: str, *path: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "path": list(path), **more}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("updateJob", {"name": "other"}),
        ("deleteJob", {}),
        ("createDraft", {}),
        ("updateDraft", {"changes": {}}),
        ("discardDraft", {}),
        ("publishDraft", {}),
        ("createVersion", {"changes": {}}),
        ("activateVersion", {"number": 1}),
        ("addTeamsToJob", {"teamIds": [NOBODY]}),
        ("removeTeamFromJob", {"teamId": NOBODY}),
    ],
)
async def test_hidden_and_missing_objects_have_the_same_error(ask: Ask, world: World, name: str, values: Any) -> None:
    job_id = await ask.create_job(world.contributor, world)
    expected = [error("JOB_NOT_FOUND", "jobId")]

    assert await refused(ask, world.contributor, name, NOBODY, **values) == expected
    assert await refused(ask, world.outsider, name, job_id, **values) == expected
    assert await refused(ask, world.foreign.admin, name, job_id, **values) == expected


EDITS: list[tuple[str, dict[str, Any], str]] = [
    ("updateJob", {"name": "other"}, "EDIT"),
    ("createDraft", {}, "EDIT"),
    ("updateDraft", {"changes": {}}, "EDIT"),
    ("discardDraft", {}, "EDIT"),
    ("publishDraft", {}, "EDIT"),
    ("createVersion", {"changes": {}}, "EDIT"),
    ("activateVersion", {"number": 1}, "EDIT"),
    ("addTeamsToJob", {"teamIds": [NOBODY]}, "MANAGE_TEAMS"),
    ("removeTeamFromJob", {"teamId": NOBODY}, "MANAGE_TEAMS"),
    ("deleteJob", {}, "DELETE"),
]


@pytest.mark.parametrize("role", ["admin", "auditor", "team_admin", "contributor", "viewer"])
@pytest.mark.parametrize(("name", "values", "permission"), EDITS, ids=[each[0] for each in EDITS])
async def test_forbidden_names_the_missing_permission(
    ask: Ask, world: World, name: str, values: Any, permission: str, role: str
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    member = getattr(world, role)
    may = role in {"admin", "team_admin"} or (role == "contributor" and permission == "EDIT")
    kind = name[0].upper() + name[1:]
    query = f"""mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ userErrors {{
      code ... on ForbiddenError {{ missingPermission path }} }} }} }}"""
    answer = await ask(member, query, input={"jobId": job_id, **values})

    forbidden = [each for each in answer[name]["userErrors"] if each["code"] == "FORBIDDEN"]
    assert forbidden == ([] if may else [error("FORBIDDEN", "jobId", missingPermission=permission)])


async def test_creating_a_job_needs_contributor_in_each_team(ask: Ask, world: World) -> None:
    teams = [world.data_eng.id, world.analytics.id, world.platform.id, world.foreign.team.id]
    more = "... on ForbiddenError { team { name } missingTeamRole }"

    assert await refused(ask, world.contributor, "createJob", more=more, **job_input(world, teamIds=teams)) == [
        error("FORBIDDEN", "teamIds", "1", team={"name": "analytics"}, missingTeamRole="CONTRIBUTOR"),
        error("FORBIDDEN", "teamIds", "2", team={"name": "platform"}, missingTeamRole="CONTRIBUTOR"),
        error("TEAM_NOT_FOUND", "teamIds", "3"),
    ]
    assert await refused(ask, world.contributor, "createJob", **job_input(world, teamIds=[])) == [
        error("TEAM_REQUIRED", "teamIds")
    ]


async def test_the_last_team_cannot_be_removed(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)

    for team, code in ((world.data_eng, "TEAM_REQUIRED"), (world.platform, "TEAM_NOT_FOUND")):
        assert await refused(ask, world.team_admin, "removeTeamFromJob", job_id, teamId=team.id) == [
            error(code, "teamId")
        ]


async def test_a_job_key_is_unique_in_the_organization(ask: Ask, world: World) -> None:
    await ask.create_job(world.contributor, world)

    assert await refused(ask, world.contributor, "createJob", **job_input(world)) == [error("JOB_KEY_TAKEN", "jobKey")]


async def test_all_problems_of_an_input_come_at_once(ask: Ask, world: World) -> None:
    wrong = config(
        world,
        clusterId=world.foreign.cluster.id,
        source={"savedQueries": {"queryIds": [world.queries[0].id, world.foreign.query.id]}},
        dependencies=[{"jobId": NOBODY}],
        maxRetries=11,
        schedule={"cron": "61 * * * *", "timezone": "Nowhere/Land"},
    )
    found = await refused(ask, world.contributor, "createJob", **job_input(world, jobKey="No", name="", config=wrong))

    assert {(each["code"], ".".join(each["path"])) for each in found} == {
        ("INVALID", "jobKey"),
        ("INVALID", "name"),
        ("CLUSTER_NOT_FOUND", "config.clusterId"),
        ("SAVED_QUERY_NOT_FOUND", "config.source.savedQueries.queryIds.1"),
        ("JOB_NOT_FOUND", "config.dependencies.0.jobId"),
        ("INVALID", "config.maxRetries"),
        ("INVALID", "config.schedule.cron"),
        ("INVALID", "config.schedule.timezone"),
    }


@pytest.mark.parametrize("status", [each for each in ClusterStatus if each != ClusterStatus.ACTIVE])
async def test_an_inactive_cluster_is_refused(ask: Ask, world: World, status: ClusterStatus) -> None:
    cluster = world.clusters[status].id
    job_id = await ask.create_job(world.contributor, world)
    more = "... on ClusterNotActiveError { cluster { id status } }"
    known = {"id": cluster, "status": status.value}

    found = await refused(
        ask,
        world.contributor,
        "createJob",
        more=more,
        **job_input(world, jobKey="b", config=config(world, clusterId=cluster)),
    )
    assert found == [error("CLUSTER_NOT_ACTIVE", "config", "clusterId", cluster=known)]
    found = await refused(ask, world.contributor, "createVersion", job_id, more=more, changes={"clusterId": cluster})
    assert found == [error("CLUSTER_NOT_ACTIVE", "changes", "clusterId", cluster=known)]


async def test_an_existing_draft_refuses_other_changes(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    draft = await ask(
        world.contributor,
        "mutation ($input: CreateDraftInput!) { createDraft(input: $input) { draft { id number } } }",
        input={"jobId": job_id},
    )
    more = "... on DraftExistsError { draft { id number } }"

    for name, values in (
        ("createDraft", {}),
        ("createVersion", {"changes": {}}),
        ("activateVersion", {"number": 1}),
    ):
        assert await refused(ask, world.contributor, name, job_id, more=more, **values) == [
            error("DRAFT_EXISTS", "jobId", draft=draft["createDraft"]["draft"])
        ]
    found = await refused(
        ask,
        world.contributor,
        "updateDraft",
        job_id,
        more="... on StaleRevisionError { expected actual }",
        changes={},
        expectedDraftRevision=9,
    )
    assert found == [error("STALE_REVISION", "expectedDraftRevision", expected=9, actual=1)]
    assert "VERSION_NOT_PUBLISHED" in {
        each["code"] for each in await refused(ask, world.contributor, "activateVersion", job_id, number=2)
    }


async def test_both_outdated_expectations_are_reported(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    await ask(world.contributor, f'mutation {{ createDraft(input: {{jobId: "{job_id}"}}) {{ draft {{ id }} }} }}')

    assert await refused(
        ask,
        world.contributor,
        "publishDraft",
        job_id,
        more="... on StaleRevisionError { expected actual }",
        expectedDraftRevision=2,
        expectedCurrentVersion=3,
    ) == [
        error("STALE_REVISION", "expectedDraftRevision", expected=2, actual=1),
        error("STALE_REVISION", "expectedCurrentVersion", expected=3, actual=1),
    ]


async def test_draft_mutations_need_a_draft(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    changes: dict[str, dict[str, Any]] = {"updateDraft": {"changes": {}}, "discardDraft": {}, "publishDraft": {}}

    for name, values in changes.items():
        assert await refused(ask, world.contributor, name, job_id, **values) == [error("DRAFT_NOT_FOUND", "jobId")]


async def test_only_published_versions_can_be_activated(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)

    assert await refused(ask, world.contributor, "activateVersion", job_id, number=2) == [
        error("VERSION_NOT_FOUND", "number")
    ]
    found = await refused(ask, world.contributor, "activateVersion", job_id, number=2, message="m" * 1024)
    assert {each["code"] for each in found} == {"INVALID", "VERSION_NOT_FOUND"}
    found = await refused(
        ask,
        world.contributor,
        "activateVersion",
        job_id,
        more="... on StaleRevisionError { expected actual }",
        number=1,
        expectedCurrentVersion=4,
    )
    assert found == [error("STALE_REVISION", "expectedCurrentVersion", expected=4, actual=1)]


async def test_a_dependency_cycle_is_refused_and_shown(ask: Ask, world: World) -> None:
    first = await ask.create_job(world.contributor, world)
    waits = config(world, dependencies=[{"jobId": first}])
    second = await ask.create_job(world.contributor, world, jobKey="second", config=waits)
    more = "... on DependencyCycleError { cycle { id } }"

    found = await refused(
        ask, world.contributor, "createVersion", first, more=more, changes={"dependencies": [{"jobId": second}]}
    )

    assert [each["code"] for each in found] == ["DEPENDENCY_CYCLE"]
    assert {each["id"] for each in found[0]["cycle"]} == {first, second}


async def test_an_idempotency_key_belongs_to_one_input(ask: Ask, world: World) -> None:
    once = job_input(world, idempotencyKey="once")
    first = await ask(world.contributor, CREATE_JOB, input=once)

    assert await ask(world.contributor, CREATE_JOB, input=once) == first
    assert await refused(ask, world.contributor, "createJob", **{**once, "jobKey": "other"}) == [
        error("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    ]


EDGES: list[tuple[str, Any, Any]] = [
    ("name", "n" * 255, "n" * 256),
    ("name", "n", ""),
    ("name", "n", "a\0b"),
    ("description", "d" * 1023, "d" * 1024),
    ("jobKey", "k" * 100, "k" * 101),
    ("jobKey", "a-1", "a--1"),
    ("jobKey", "a", "a\n"),
    ("jobKey", "a", "a\0"),
    ("idempotencyKey", "i" * 255, "i" * 256),
    ("config.source.sqlSnapshot.sql", "s" * 8191, "s" * 8192),
    ("config.source.sqlSnapshot.sql", "s", ""),
    ("config.schedule.cron", "0 0 * * *", "0 0 * *"),
    ("config.schedule.cron", "0," * 45 + "0 * * * *", "0," * 46 + "0 * * * *"),
    ("config.schedule.timezone", "Europe/Stockholm", "E" * 65),
    ("config.schedule.timezone", "UTC", "localtime"),
    ("config.maxRetries", 10, 11),
    ("config.maxRetries", 0, -1),
    ("config.retryDelaySeconds", 0, -1),
    ("config.timeoutSeconds", 1, 0),
]


def placed(world: World, path: str, value: Any) -> dict[str, Any]:
    wanted = job_input(world, config=config(world))
    if path.startswith("config.schedule"):
        wanted["config"]["schedule"] = {"cron": "0 0 * * *"}
    *way, last = path.split(".")
    here = wanted
    for each in way:
        here = here[each]
    here[last] = value
    return wanted


@pytest.mark.parametrize(("path", "at", "over"), EDGES, ids=range(len(EDGES)))
async def test_values_over_their_limit_are_refused(ask: Ask, world: World, path: str, at: Any, over: Any) -> None:
    found = await refused(ask, world.contributor, "createJob", **placed(world, path, over))
    assert found == [error("INVALID", *path.split("."))]

    answer = await ask(world.contributor, CREATE_JOB, input=placed(world, path, at))
    assert answer["createJob"]["userErrors"] == []


async def test_a_source_has_1_to_50_saved_queries(ask: Ask, world: World) -> None:
    query = world.queries[0].id
    for size, good in ((0, False), (1, True), (50, True), (51, False)):
        source = {"savedQueries": {"queryIds": [query] * size}}
        wanted = job_input(world, jobKey=f"queries-{size}", config=config(world, source=source))
        answer = await ask(world.contributor, CREATE_JOB, input=wanted)
        assert (answer["createJob"]["job"] is not None) is good, (size, answer)


@pytest.mark.parametrize(("size", "good"), [(1023, True), (1024, False)])
async def test_a_message_has_at_most_1023_characters(ask: Ask, world: World, size: int, good: bool) -> None:
    job_id = await ask.create_job(world.contributor, world)
    query = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code path } } }"
    wanted = {"jobId": job_id, "status": "PAUSED", "message": "m" * size}
    answer = await ask(world.contributor, query, input=wanted)

    assert answer["updateJob"]["userErrors"] == ([] if good else [error("INVALID", "message")])


SAYS: list[tuple[str, dict[str, Any], str]] = [
    ("updateJob", {"jobId": NOBODY}, f"There is no job '{NOBODY}' that you can see."),
    ("updateJob", {"jobId": "é" * 99}, "There is no job '" + r"\xe9" * 14 + r"\xe that you can see."),
    ("updateJob", {"name": "n" * 256}, "Must be 1 to 255 characters long, but is 256."),
    ("updateJob", {"name": None}, "Can't be null. Omit it instead."),
    (
        "updateJob",
        {"expectedJobRevision": 7},
        "You expected the job's revision to be 7, but it is 1. Look at it as it is now, then send this again.",
    ),
    ("discardDraft", {}, "The job has no draft. Create one with createDraft first."),
    (
        "activateVersion",
        {"number": 7},
        "The job has no version 7. Its `versions` are those that can be activated, copied or run.",
    ),
    ("createVersion", {"changes": {"clusterId": "CL0"}}, "There is no cluster 'CL0'."),
    (
        "createVersion",
        {"changes": {"source": {"savedQueries": {"queryIds": []}}}},
        "Must have 1 to 50 entries, but has 0.",
    ),
    (
        "createVersion",
        {"changes": {"schedule": {"cron": "0 0 30 2 *"}}},
        "Day of month: 30 doesn't occur in the month 2, so the schedule never fires.",
    ),
    (
        "createVersion",
        {"changes": {"schedule": {"cron": "0 0 * * *", "maxConcurrentRuns": 2}}},
        "Goes with the concurrency policy ALLOW only, which is SKIP.",
    ),
    ("addTeamsToJob", {"teamIds": ["TM0"]}, "There is no team 'TM0'."),
    ("addTeamsToJob", {"teamIds": []}, "A job needs at least one team. Name one."),
    ("removeTeamFromJob", {"teamId": "TM0"}, "The job is shared with no team 'TM0'."),
]


@pytest.mark.parametrize(("name", "values", "message"), SAYS, ids=range(len(SAYS)))
async def test_messages_say_what_was_given_and_what_to_do(
    ask: Ask, world: World, name: str, values: dict[str, Any], message: str
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    query = f"mutation ($i: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $i) {{ userErrors {{ message }} }} }}"

    answer = await ask(world.team_admin, query, i={"jobId": job_id, **values})

    assert answer[name]["userErrors"] == [{"message": message}]
