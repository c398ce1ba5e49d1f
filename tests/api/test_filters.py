"""Filters of lists of jobs, alone and combined, in every list."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from testbed.ask import Ask, Failed, config
from testbed.world import World, make_cluster, make_run

LISTS = """
query ($filter: JobFilter, $team: ID!, $cluster: ID!) {
  jobs(filter: $filter, sortBy: JOB_KEY) { ...Found }
  none: jobs(filter: $filter, limit: 0) { ...Found }
  team(id: $team) { jobs(filter: $filter, sortBy: JOB_KEY) { ...Found } }
  cluster(id: $cluster) { jobs(filter: $filter, sortBy: JOB_KEY) { ...Found } }
  me { jobs(filter: $filter, sortBy: JOB_KEY) { ...Found } }
}
fragment Found on JobConnection { nodes { jobKey } totalCount }
"""
UPDATED_AT = "{ jobs(sortBy: UPDATED_AT) { nodes { jobKey updatedAt } } }"
DO = """
mutation ($draft: CreateDraftInput!, $pause: UpdateJobInput!, $move: CreateVersionInput!) {
  createDraft(input: $draft) { userErrors { code } }
  updateJob(input: $pause) { userErrors { code } }
  createVersion(input: $move) { userErrors { code } }
}
"""
MOVE = "mutation ($input: CreateVersionInput!) { createVersion(input: $input) { userErrors { code } } }"
DRAFT = "mutation ($input: CreateDraftInput!) { createDraft(input: $input) { userErrors { code } } }"
CRON = {"cron": "0 6 * * *"}
LIST_FIELDS = [
    "statuses",
    "teamIds",
    "clusterIds",
    "sourceKinds",
    "latestRunStatuses",
    "createdByIds",
    "updatedByIds",
    "ids",
    "keys",
]
ALL = ["bare", "drafted", "moved", "paused", "shared"]


@pytest.fixture
async def elsewhere(database: Database, world: World) -> Cluster:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        return await make_cluster(session, world.organization, name="elsewhere")


@pytest.fixture
async def jobs(ask: Ask, world: World, elsewhere: Cluster) -> dict[str, str]:
    """The ids of the jobs `ALL`, which the contributor sees, and of `hidden`, which is otherwise like `shared`."""
    scheduled = {"config": config(world, schedule=CRON)}
    away = {"config": config(world, clusterId=elsewhere.id)}
    drafted = await ask.create_job(world.contributor, world, jobKey="drafted", name="100% Straße", **scheduled)
    paused = await ask.create_job(world.contributor, world, jobKey="paused", name="ÄRGER", description="snake_case")
    moved = await ask.create_job(world.contributor, world, jobKey="moved", name=r"C:\temp", **away)
    bare = await ask.create_job(world.contributor, world, jobKey="bare", name="snakeXcase", description="Nightly LOAD")
    theirs = {"teamIds": [world.analytics.id]} | scheduled
    shared = await ask.create_job(world.admin, world, jobKey="shared", name="Their 1000", **theirs)
    others = theirs | {"teamIds": [world.platform.id]}
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", name="100%", **others)
    done = await ask(
        world.contributor,
        DO,
        draft={"jobId": drafted, "changes": {"clusterId": elsewhere.id, "schedule": None}},
        pause={"jobId": paused, "status": "PAUSED"},
        move={"jobId": moved, "changes": {"clusterId": world.cluster.id}},
    )
    assert all(each["userErrors"] == [] for each in done.values())
    return {"bare": bare, "drafted": drafted, "hidden": hidden, "moved": moved, "paused": paused, "shared": shared}


async def lists(ask: Ask, world: World, wanted: dict[str, Any] | None) -> dict[str, list[str]]:
    """Return the jobs of each list, for `data_eng` and the active cluster. Asserts that the totals agree."""
    data = await ask(world.contributor, LISTS, filter=wanted, team=world.data_eng.id, cluster=world.cluster.id)
    found = {"jobs": data["jobs"]} | {name: data[name]["jobs"] for name in ("team", "cluster", "me")}
    keys = {name: [each["jobKey"] for each in page["nodes"]] for name, page in found.items()}
    assert {name: page["totalCount"] for name, page in found.items()} == {name: len(keys[name]) for name in keys}
    assert data["none"] == {"nodes": [], "totalCount": len(keys["jobs"])}
    return keys


async def found(ask: Ask, world: World, **wanted: Any) -> list[str]:
    return (await lists(ask, world, wanted))["jobs"]


@pytest.mark.usefixtures("jobs")
async def test_without_a_filter_all_visible_jobs_are_listed(ask: Ask, world: World) -> None:
    assert await lists(ask, world, None) == {
        "jobs": ALL,
        "team": ["bare", "drafted", "moved", "paused"],
        "cluster": ALL,
        "me": ALL,
    }
    assert await found(ask, world) == ALL
    assert await found(ask, world, search=None, statuses=None, teamIds=None, hasDraft=None) == ALL


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"statuses": ["PAUSED"]}, ["paused"]),
        ({"statuses": ["ACTIVE"]}, ["bare", "drafted", "moved", "shared"]),
        ({"statuses": ["ACTIVE", "PAUSED"]}, ALL),
        ({"hasDraft": True}, ["drafted"]),
        ({"hasDraft": False}, ["bare", "moved", "paused", "shared"]),
        ({"hasSchedule": True}, ["drafted", "shared"]),
        ({"hasSchedule": False}, ["bare", "moved", "paused"]),
        ({"hasSchedule": True, "hasDraft": False}, ["shared"]),
        ({"hasSchedule": False, "statuses": ["ACTIVE"]}, ["bare", "moved"]),
        ({"hasDraft": True, "statuses": ["PAUSED"]}, []),
        ({"search": "snake", "statuses": ["PAUSED"]}, ["paused"]),
        ({"search": "ed", "hasSchedule": True}, ["drafted", "shared"]),
    ],
)
async def test_a_filter_works_in_every_list(
    ask: Ask, world: World, wanted: dict[str, Any], expected: list[str]
) -> None:
    everywhere = await lists(ask, world, None)
    assert await lists(ask, world, wanted) == {
        name: [key for key in keys if key in expected] for name, keys in everywhere.items()
    }


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BARE", ["bare"]),
        ("nightly load", ["bare"]),
        ("t", ["drafted", "moved", "bare", "shared"]),
        ("100%", ["drafted"]),
        ("%", ["drafted"]),
        ("_", ["paused"]),
        ("snake_case", ["paused"]),
        ("\\", ["moved"]),
        ("c:\\TEMP", ["moved"]),
        ("\\%", []),
        ("/", []),
        ("ärger", ["paused"]),
        ("ÄRG", ["paused"]),
        ("STRASSE", ["drafted"]),
        ("straße", ["drafted"]),
        ("'; --", []),
        ("", ALL),
    ],
)
async def test_text_is_found_in_key_name_and_description(
    ask: Ask, world: World, text: str, expected: list[str]
) -> None:
    assert await found(ask, world, search=text) == sorted(expected)


async def test_a_text_that_is_too_long_is_refused(ask: Ask, world: World) -> None:
    assert await found(ask, world, search="x" * 255) == []
    with pytest.raises(Failed, match=r"filter\.search: Must be 0 to 255 characters long, but is 256\."):
        await found(ask, world, search="x" * 256)


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("name", LIST_FIELDS)
async def test_an_empty_list_matches_nothing(ask: Ask, world: World, name: str) -> None:
    assert await lists(ask, world, {name: []}) == {"jobs": [], "team": [], "cluster": [], "me": []}
    assert await found(ask, world, **{name: []}, hasSchedule=True) == []


@pytest.mark.usefixtures("jobs")
async def test_jobs_are_found_by_their_teams(ask: Ask, world: World) -> None:
    data_eng, analytics, platform = world.data_eng.id, world.analytics.id, world.platform.id
    assert await found(ask, world, teamIds=[analytics]) == ["shared"]
    assert await found(ask, world, teamIds=[data_eng, analytics]) == ALL
    assert await found(ask, world, teamIds=[platform, world.foreign.team.id, "nobody"]) == []
    assert (await lists(ask, world, {"teamIds": [analytics]}))["team"] == []
    assert await found(ask, world, teamIds=[data_eng], hasSchedule=True) == ["drafted"]


@pytest.mark.usefixtures("jobs")
async def test_jobs_are_found_by_the_cluster_of_their_current_version(
    ask: Ask, world: World, elsewhere: Cluster
) -> None:
    assert await found(ask, world, clusterIds=[elsewhere.id]) == []
    assert await found(ask, world, clusterIds=[elsewhere.id, world.cluster.id]) == ALL
    assert await found(ask, world, clusterIds=[world.cluster.id], hasDraft=True) == ["drafted"]
    assert await found(ask, world, clusterIds=[world.foreign.cluster.id]) == []


@pytest.mark.usefixtures("jobs")
async def test_jobs_are_found_by_who_created_them(ask: Ask, world: World) -> None:
    assert await found(ask, world, createdByIds=[world.admin.id]) == ["shared"]
    assert await found(ask, world, createdByIds=[world.contributor.id, world.viewer.id]) == ALL[:-1]
    assert await found(ask, world, createdByIds=[world.admin.id, world.contributor.id]) == ALL
    assert await found(ask, world, createdByIds=[world.contributor.id], hasDraft=False) == ["bare", "moved", "paused"]


async def test_jobs_are_found_by_who_changed_them_last(ask: Ask, world: World, jobs: dict[str, str]) -> None:
    assert await found(ask, world, updatedByIds=[world.admin.id]) == ["shared"]
    rename = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
    await ask(world.admin, rename, input={"jobId": jobs["bare"], "name": "Renamed"})
    assert await found(ask, world, updatedByIds=[world.admin.id]) == ["bare", "shared"]
    assert await found(ask, world, updatedByIds=[world.admin.id], createdByIds=[world.contributor.id]) == ["bare"]


async def test_jobs_are_found_by_the_source_of_their_current_version(
    ask: Ask, world: World, jobs: dict[str, str]
) -> None:
    file = {"changes": {"source": {"pythonFile": {"path": "a.py"}}}}
    done = await ask(world.contributor, MOVE, input={"jobId": jobs["bare"]} | file)
    assert done["createVersion"]["userErrors"] == []
    draft = {"jobId": jobs["moved"]} | file
    assert (await ask(world.contributor, DRAFT, input=draft))["createDraft"]["userErrors"] == []

    assert await found(ask, world, sourceKinds=["PYTHON_FILE"]) == ["bare"]
    assert await found(ask, world, sourceKinds=["SQL_SNAPSHOT"]) == ["drafted", "moved", "paused", "shared"]
    assert await found(ask, world, sourceKinds=["PYTHON_FILE", "SQL_SNAPSHOT"]) == ALL
    assert await found(ask, world, sourceKinds=["SAVED_QUERIES", "PYTHON_WHEEL"]) == []


async def test_jobs_are_found_by_their_latest_run(
    ask: Ask, world: World, jobs: dict[str, str], database: Database
) -> None:
    for key, statuses in {
        "bare": "FAILED SUCCEEDED",
        "moved": "FAILED",
        "paused": "RUNNING",
        "hidden": "FAILED",
    }.items():
        for status in statuses.split():
            await make_run(database, jobs[key], status=status)

    assert await found(ask, world, latestRunStatuses=["FAILED"]) == ["moved"]
    assert await found(ask, world, latestRunStatuses=["RUNNING", "SUCCEEDED"]) == ["bare", "paused"]
    assert await found(ask, world, latestRunStatuses=[None]) == ["drafted", "shared"]
    assert await found(ask, world, latestRunStatuses=["FAILED", None]) == ["drafted", "moved", "shared"]


async def test_jobs_are_found_by_ids_and_keys(ask: Ask, world: World, jobs: dict[str, str]) -> None:
    ids = [jobs["paused"], jobs["hidden"], jobs["bare"], jobs["bare"], "JB0", world.cluster.id]
    assert await found(ask, world, ids=ids) == ["bare", "paused"]
    assert await found(ask, world, keys=["moved", "hidden", "no-such-job"]) == ["moved"]
    assert await found(ask, world, ids=ids, statuses=["ACTIVE"]) == ["bare"]
    assert await found(ask, world, ids=ids, keys=["moved"]) == []
    assert (await lists(ask, world, {"keys": ["moved", "shared"]}))["team"] == ["moved"]


@pytest.mark.usefixtures("jobs")
async def test_jobs_are_found_by_when_they_were_created(ask: Ask, world: World) -> None:
    query = "{ jobs { nodes { jobKey createdAt } } }"
    nodes = (await ask(world.contributor, query))["jobs"]["nodes"]
    moment = datetime.fromisoformat(nodes[3]["createdAt"])
    later = (moment + timedelta(microseconds=1)).isoformat()
    assert await found(ask, world, createdSince=moment.isoformat()) == sorted(each["jobKey"] for each in nodes[3:])
    assert await found(ask, world, createdSince=later) == sorted(each["jobKey"] for each in nodes[4:])


@pytest.mark.usefixtures("jobs")
async def test_jobs_are_found_by_when_they_changed(ask: Ask, world: World) -> None:
    changes = (await ask(world.contributor, UPDATED_AT))["jobs"]["nodes"]
    assert [each["jobKey"] for each in changes] == ["bare", "shared", "drafted", "paused", "moved"]
    moment = datetime.fromisoformat(changes[3]["updatedAt"])
    india = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    for same in (moment, moment.replace(tzinfo=None), india):
        assert await found(ask, world, updatedSince=same.isoformat()) == ["moved", "paused"]
    just_after = (moment + timedelta(microseconds=1)).isoformat()
    assert await found(ask, world, updatedSince=just_after) == ["moved"]
    assert await found(ask, world, updatedSince=moment.isoformat(), statuses=["PAUSED"]) == ["paused"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("name", ["createdSince", "updatedSince"])
async def test_a_time_outside_the_calendar_is_refused(ask: Ask, world: World, name: str, moment: str) -> None:
    query = "query ($filter: JobFilter) { jobs(filter: $filter) { totalCount } }"
    with pytest.raises(Failed) as failed:
        await ask(world.viewer, query, filter={name: moment})

    assert [type(each.original_error) for each in failed.value.errors] == [BadInput]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_a_filter_accepts_the_first_and_last_time(ask: Ask, world: World, moment: str) -> None:
    query = "query ($filter: JobFilter) { jobs(filter: $filter) { totalCount } }"
    assert await ask(world.viewer, query, filter={"updatedSince": moment}) == {"jobs": {"totalCount": 0}}


async def test_an_unstorable_key_fails_no_field(ask: Ask, world: World) -> None:
    mine = "me { actor { ... on Member { email } } teams { totalCount } }"
    query = f"query ($key: String!) {{ jobByKey(jobKey: $key) {{ id }} {mine} }}"

    assert await ask(world.viewer, query, key="\0") == {
        "jobByKey": None,
        "me": {"actor": {"email": world.viewer.email}, "teams": {"totalCount": 1}},
    }
