"""The values of changes: texts, numbers, objects, secrets and what the caller can't see."""

from typing import Any

from sqlalchemy import text

from mainsheet.models.database import Database
from testbed.ask import Ask, config
from testbed.world import World

CHANGES = """path label kind before { ...Value } after { ...Value }"""
VALUE = """fragment Value on ConfigValue { __typename
  ... on TextValue { text } ... on NumberValue { number } ... on SecretValue { reference }
  ... on HiddenValue { isHidden }
  ... on NodeValue { key node { __typename id ... on Cluster { region } ... on Job { jobKey } } } }"""
READ = f"""query ($id: ID!, $number: Int!) {{ job(id: $id) {{ version(number: $number) {{ changes {{ {CHANGES} }} }}
  events {{ nodes {{ action changes {{ {CHANGES} }} }} }} }} }} {VALUE}"""
CREATE_VERSION = "mutation ($i: CreateVersionInput!) { createVersion(input: $i) { userErrors { code message path } } }"
UPDATE = "mutation ($i: UpdateJobInput!) { updateJob(input: $i) { userErrors { code } } }"
ADD_TEAMS = "mutation ($i: AddTeamsToJobInput!) { addTeamsToJob(input: $i) { userErrors { code } } }"
SET_ROLE = "mutation ($i: SetTeamRoleInput!) { setTeamRole(input: $i) { userErrors { message } } }"
MOVE_QUERY = "mutation ($i: UpdateSavedQueryInput!) { updateSavedQuery(input: $i) { userErrors { message } } }"
NEWEST = f"{{ events(last: 3, sortDirection: ASC) {{ nodes {{ changes {{ {CHANGES} }} }} }} }} {VALUE}"
DELETE = "mutation ($i: DeleteJobInput!) { deleteJob(input: $i) { userErrors { code } } }"


def node(key: str, type_name: str, id_: str, **values: Any) -> dict[str, Any]:
    return {"__typename": "NodeValue", "key": key, "node": {"__typename": type_name, "id": id_, **values}}


def words(value: str) -> dict[str, str]:
    return {"__typename": "TextValue", "text": value}


async def read(ask: Ask, world: World, job_id: str, number: int, who: str = "contributor") -> Any:
    return (await ask(getattr(world, who), READ, id=job_id, number=number))["job"]


async def versioned(ask: Ask, world: World, job_id: str, who: str = "contributor", **changes: Any) -> None:
    made = await ask(getattr(world, who), CREATE_VERSION, i={"jobId": job_id, "changes": changes})
    assert made["createVersion"]["userErrors"] == []


def by_label(changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["label"]: (each["path"], each["before"], each["after"]) for each in changes}


async def test_ids_are_objects(ask: Ask, world: World) -> None:
    upstream = await ask.create_job(world.contributor, world, jobKey="upstream")
    queries = [each.id for each in world.queries]
    source = {"savedQueries": {"queryIds": [queries[0], queries[1]]}}
    given = config(world, source=source, dependencies=[{"jobId": upstream, "condition": "ON_FAILURE"}])
    job_id = await ask.create_job(world.contributor, world, config=given)
    await versioned(ask, world, job_id, source={"savedQueries": {"queryIds": [queries[0], queries[2], queries[1]]}})

    first = by_label((await read(ask, world, job_id, 1))["version"]["changes"])
    second = by_label((await read(ask, world, job_id, 2))["version"]["changes"])

    cluster = node(world.cluster.name, "Cluster", world.cluster.id, region=world.cluster.region)
    assert first["Cluster"] == (["clusterId"], None, cluster)
    job = node("upstream", "Job", upstream, jobKey="upstream")
    assert first["Dependency on upstream"] == (["dependencies", "upstream"], None, job)
    condition = (["dependencies", "upstream", "condition"], None, words("ON_FAILURE"))
    assert first["Dependency on upstream: condition"] == condition
    shown = [node(each.name, "SavedQuery", each.id) for each in world.queries[:3]]
    assert second == {
        "Saved query 2": (["source", "savedQueries", "queryIds", "1"], shown[1], shown[2]),
        "Saved query 3": (["source", "savedQueries", "queryIds", "2"], None, shown[1]),
    }


async def test_dependencies_are_ordered_by_the_keys_of_the_jobs(ask: Ask, world: World) -> None:
    others = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("second", "first", "third")]
    given = config(world, dependencies=[{"jobId": each} for each in others])
    job_id = await ask.create_job(world.contributor, world, jobKey="own", config=given)

    changes = (await read(ask, world, job_id, 1))["version"]["changes"]

    paths = [each["path"] for each in changes]
    assert [each[1] for each in paths if each[0] == "dependencies" and len(each) == 2] == ["first", "second", "third"]
    assert paths == sorted(paths)


async def test_numbers_texts_and_secrets(ask: Ask, world: World) -> None:
    environment = [{"name": "max_retries", "value": "7"}, {"name": "TOKEN", "value": "open"}]
    source = {"pythonFile": {"path": "a.py", "arguments": ["--day", "1"]}}
    job_id = await ask.create_job(
        world.contributor, world, config=config(world, environment=environment, source=source)
    )
    environment = [{"name": "max_retries", "value": "8"}, {"name": "TOKEN", "secretReference": " jobs/token "}]
    source = {"pythonFile": {"path": "a.py", "arguments": ["--day", "2"]}}
    await versioned(ask, world, job_id, environment=environment, source=source, maxRetries=2)

    job = await read(ask, world, job_id, 2)

    numbers = [{"__typename": "NumberValue", "number": each} for each in (0, 2)]
    secret = {"__typename": "SecretValue", "reference": "jobs/token"}
    expected = {
        "Argument 2": (["source", "pythonFile", "arguments", "1"], words("1"), words("2")),
        "Environment variable TOKEN": (["environment", "TOKEN"], words("open"), secret),
        "Environment variable max_retries": (["environment", "max_retries"], words("7"), words("8")),
        "Max retries": (["maxRetries"], *numbers),
    }
    assert by_label(job["version"]["changes"]) == expected
    assert by_label(job["events"]["nodes"][0]["changes"]) == expected


async def test_a_hidden_job_is_a_hidden_value(ask: Ask, world: World) -> None:
    hidden = [
        await ask.create_job(world.admin, world, jobKey=key, teamIds=[world.platform.id])
        for key in ("covert-1", "covert-2")
    ]
    job_id = await ask.create_job(world.contributor, world)
    await versioned(ask, world, job_id, "admin", dependencies=[{"jobId": each} for each in hidden])
    query = "query ($id: ID!) { job(id: $id) { currentVersion { dependencies { id } } } }"
    rows = (await ask(world.contributor, query, id=job_id))["job"]["currentVersion"]["dependencies"]

    job = await read(ask, world, job_id, 2)

    for changes in (job["version"]["changes"], job["events"]["nodes"][0]["changes"]):
        shown = {tuple(each["path"]): (each["label"], each["after"]) for each in changes}
        for row in rows:
            label = "Dependency on a hidden job"
            value = {"__typename": "HiddenValue", "isHidden": True}
            assert shown["dependencies", row["id"]] == (label, value)
            assert shown["dependencies", row["id"], "condition"] == (f"{label}: condition", words("ON_SUCCESS"))
        assert len(shown) == 4
        assert not any(each in str(changes) for each in (*hidden, "covert"))


async def test_a_deleted_job_keeps_its_key_and_a_deleted_object_its_id(
    ask: Ask, world: World, database: Database
) -> None:
    upstream = await ask.create_job(world.contributor, world, jobKey="upstream")
    job_id = await ask.create_job(world.contributor, world, config=config(world, dependencies=[{"jobId": upstream}]))
    await ask(world.admin, DELETE, i={"jobId": upstream, "force": True})
    await ask(world.admin, ADD_TEAMS, i={"jobId": job_id, "teamIds": [world.analytics.id]})
    async with database.writes.begin() as connection:
        away = str([{"path": ["teams"], "kind": "ADDED", "before": None, "after": "TM0"}])
        away = away.replace("'", '"').replace("None", "null")
        await connection.execute(
            text("UPDATE event SET changes = :away WHERE action = 'TEAMS_ADDED_TO_JOB'")
            if database.is_sqlite
            else text("UPDATE event SET changes = CAST(:away AS jsonb) WHERE action = 'TEAMS_ADDED_TO_JOB'"),
            {"away": away},
        )

    job = await read(ask, world, job_id, 1)

    gone = {"__typename": "NodeValue", "key": "upstream", "node": None}
    assert by_label(job["version"]["changes"])["Dependency on upstream"][2] == gone
    team = {"__typename": "NodeValue", "key": "TM0", "node": None}
    assert by_label(job["events"]["nodes"][0]["changes"]) == {"Team": (["teams"], None, team)}


async def test_changes_of_a_job_itself(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world, tags=["a"])
    await ask(world.contributor, UPDATE, i={"jobId": job_id, "status": "PAUSED", "tags": ["b"]})
    await ask(world.admin, ADD_TEAMS, i={"jobId": job_id, "teamIds": [world.analytics.id]})

    shared, updated, _ = (await read(ask, world, job_id, 1))["events"]["nodes"]

    assert by_label(shared["changes"]) == {
        "Team": (["teams"], None, node("analytics", "Team", world.analytics.id)),
    }
    assert {
        (each["label"], *(value and value["text"] for value in (each["before"], each["after"])))
        for each in updated["changes"]
    } == {("Tag", "a", None), ("Tag", None, "b"), ("Status", "ACTIVE", "PAUSED")}


async def test_a_variable_needs_exactly_one_of_value_and_secret(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    wrong: list[dict[str, Any]] = [
        {"name": "NEITHER"},
        {"name": "BOTH", "value": "", "secretReference": "a"},
        {"name": "NULLS", "value": None, "secretReference": None},
        {"name": "LONG", "secretReference": "x" * 1024},
        {"name": "BLANK", "secretReference": " "},
        {"name": "RIGHT", "secretReference": "x" * 1023},
    ]

    made = await ask(world.contributor, CREATE_VERSION, i={"jobId": job_id, "changes": {"environment": wrong}})

    only = "Needs exactly one of value and secretReference."
    assert [(each["path"][2:], each["message"]) for each in made["createVersion"]["userErrors"]] == [
        (["0"], only),
        (["1"], only),
        (["2"], only),
        (["3", "secretReference"], "Must be 1 to 1023 characters long, but is 1024."),
        (["4", "secretReference"], "Must be 1 to 1023 characters long, but is blank."),
    ]


async def test_a_secret_is_read_as_it_was_set(ask: Ask, world: World) -> None:
    environment = [{"name": "A", "value": ""}, {"name": "B", "secretReference": "jobs/b"}]
    job_id = await ask.create_job(world.contributor, world, config=config(world, environment=environment))
    query = "query ($id: ID!) { job(id: $id) { currentVersion { environment { name value secretReference } } } }"

    found = (await ask(world.viewer, query, id=job_id))["job"]["currentVersion"]["environment"]

    assert found == [
        {"name": "A", "value": "", "secretReference": None},
        {"name": "B", "value": None, "secretReference": "jobs/b"},
    ]


async def test_changes_of_other_objects_have_labels_for_people(ask: Ask, world: World) -> None:
    role = {"teamId": world.analytics.id, "actorId": world.viewer.id, "role": "CONTRIBUTOR"}
    await ask(world.admin, SET_ROLE, i=role)
    await ask(world.admin, SET_ROLE, i={**role, "role": "VIEWER"})
    await ask(world.admin, MOVE_QUERY, i={"savedQueryId": world.queries[0].id, "teamId": world.analytics.id})

    nodes = (await ask(world.contributor, NEWEST))["events"]["nodes"]

    added, changed, moved = [by_label(each["changes"]) for each in nodes]
    label, path = f"Role of {world.viewer.name}", ["members", world.viewer.id]
    assert added == {label: (path, None, words("CONTRIBUTOR"))}
    assert changed == {label: (path, words("CONTRIBUTOR"), words("VIEWER"))}
    before, after = moved["Team"][1:]
    assert (moved["Team"][0], list(moved)) == (["teamId"], ["Team"])
    assert after == node(world.analytics.name, "Team", world.analytics.id)
    assert before is None or before["node"]["__typename"] == "Team"
