"""Versions, their differences and fire times, and the history."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.schema.context import Context
from testbed.ask import Ask, Failed, config, execute
from testbed.changes import CHANGES as CHANGE
from testbed.changes import VALUE, flat
from testbed.world import World, caller, make_cluster

VERSIONS = """
query ($id: ID!, $direction: SortDirection! = ASC, $limit: Int, $page: Int, $last: Int) {
  job(id: $id) { versions(sortDirection: $direction, limit: $limit, page: $page, last: $last) {
    nodes { number status } totalCount
  } }
}
"""
VERSION = """
query ($id: ID!, $number: Int!) { job(id: $id) { version(number: $number) {
  number status message basedOn { number } publishedAt publishedBy { displayName } createdBy { displayName }
} } }
"""
CHANGES = f"""
query ($id: ID!, $number: Int!, $since: Int) {{
  job(id: $id) {{ version(number: $number) {{ changes(since: $since) {{ {CHANGE} }} }} }}
}}
{VALUE}"""
HISTORY = "query ($id: ID!) { job(id: $id) { events { nodes { action message actor { displayName } } totalCount } } }"
PAUSE = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, status: PAUSED, message: "holiday"}) { job { id } } }'
SCHEDULES = """
query ($id: ID!, $count: Int! = 3, $after: DateTime) { job(id: $id) {
  draft { schedule { ...When } } currentVersion { schedule { ...When } }
} }
fragment When on JobSchedule { cron description nextFireTimes(count: $count, after: $after) }
"""
LISTED = """
query ($ids: [ID!]!) { nodes(ids: $ids) {
  ... on Cluster { jobs { nodes { jobKey } totalCount } } ... on Team { jobs { nodes { jobKey } totalCount } }
} }
"""


@pytest.fixture
async def elsewhere(database: Database, world: World) -> Cluster:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        return await make_cluster(session, world.organization, name="elsewhere")


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world)


async def change(ask: Ask, world: World, name: str, job_id: str, **values: Any) -> None:
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code path message }} }} }}"
    data = await ask(world.contributor, query, input={"jobId": job_id, **values})
    assert data[name]["userErrors"] == []


async def numbers(ask: Ask, world: World, job_id: str, **paging: Any) -> list[int]:
    versions = (await ask(world.viewer, VERSIONS, id=job_id, **paging))["job"]["versions"]
    return [each["number"] for each in versions["nodes"]]


async def version(ask: Ask, world: World, job_id: str, number: int) -> Any:
    return (await ask(world.viewer, VERSION, id=job_id, number=number))["job"]["version"]


async def changes(ask: Ask, world: World, job_id: str, number: int, since: int | None = None) -> list[Any]:
    data = await ask(world.contributor, CHANGES, id=job_id, number=number, since=since)
    return flat(data["job"]["version"]["changes"])


async def fire_times(ask: Ask, world: World, cron: str, **asked: Any) -> list[str]:
    schedule = {"cron": cron, "timezone": "Europe/Berlin"}
    job_id = await ask.create_job(world.contributor, world, config=config(world, schedule=schedule))
    data = await ask(world.viewer, SCHEDULES, id=job_id, **asked)
    return list(data["job"]["currentVersion"]["schedule"]["nextFireTimes"])


async def listed(ask: Ask, world: World, ids: list[str]) -> list[tuple[list[str], int]]:
    lists = [each["jobs"] for each in (await ask(world.contributor, LISTED, ids=ids))["nodes"]]
    return [([job["jobKey"] for job in each["nodes"]], each["totalCount"]) for each in lists]


@pytest.fixture
async def published(ask: Ask, world: World, job_id: str) -> str:
    """Create a job: versions 1, 2 and 4 are published, 3 was discarded, 5 is a draft, and 2 is current."""
    await change(ask, world, "createVersion", job_id, changes={"maxRetries": 2}, message="second")
    await change(ask, world, "createDraft", job_id)
    await change(ask, world, "discardDraft", job_id)
    await change(ask, world, "activateVersion", job_id, number=1)
    await change(ask, world, "createVersion", job_id, changes={"maxRetries": 4})
    await change(ask, world, "activateVersion", job_id, number=2, message="back")
    await change(ask, world, "createDraft", job_id, changes={"maxRetries": 5})
    return job_id


async def test_published_versions_are_listed_by_number(ask: Ask, world: World, published: str) -> None:
    page = (await ask(world.viewer, VERSIONS, id=published))["job"]["versions"]
    assert page["totalCount"] == 3
    nodes = [tuple(each.values()) for each in page["nodes"]]
    assert nodes == [(1, "PUBLISHED"), (2, "PUBLISHED"), (4, "PUBLISHED")]
    assert await numbers(ask, world, published, direction="DESC") == [4, 2, 1]
    assert await numbers(ask, world, published, direction="DESC", limit=1, page=2) == [2]
    assert await numbers(ask, world, published, last=2) == [2, 4]
    assert await numbers(ask, world, published, direction="DESC", last=2) == [2, 1]


async def test_a_version_is_found_by_its_number(ask: Ask, world: World, published: str) -> None:
    second, draft = await version(ask, world, published, 2), await version(ask, world, published, 5)
    names = ("number", "status", "message", "publishedBy")
    assert [second[name] for name in names] == [2, "PUBLISHED", "second", {"displayName": "contributor"}]
    assert [draft[name] for name in names] == [5, "DRAFT", None, None]
    assert [bool(each["publishedAt"]) for each in (second, draft)] == [True, False]
    assert [await version(ask, world, published, number) for number in (-1, 0, 3, 6, 2**31 - 1)] == [None] * 5
    assert second["createdBy"] == draft["createdBy"] == {"displayName": "contributor"}


async def test_a_version_is_based_on_the_version_then_current(ask: Ask, world: World, published: str) -> None:
    bases = {number: (await version(ask, world, published, number))["basedOn"] for number in (1, 2, 4, 5)}
    assert bases == {1: None, 2: {"number": 1}, 4: {"number": 1}, 5: {"number": 2}}


async def test_the_first_versions_changes_are_additions(ask: Ask, world: World, job_id: str) -> None:
    added = {path: (kind, before, after) for path, kind, before, after in await changes(ask, world, job_id, 1)}
    values = {"clusterId": "active", "compute.executionMode": "STANDALONE", "maxRetries": 0}
    values |= {"retryDelaySeconds": 0, "source.sqlSnapshot.sql": "SELECT 1"}
    assert added == {path: ("ADDED", None, value) for path, value in values.items()}


async def test_changes_list_the_differences(ask: Ask, world: World, job_id: str, elsewhere: Cluster) -> None:
    keys = ("first-one", "second-one", "third-one")
    first, second, third = [await ask.create_job(world.contributor, world, jobKey=key) for key in keys]
    before = {
        "schedule": {"cron": "0 6 * * *", "concurrencyPolicy": "ALLOW", "maxConcurrentRuns": 2},
        "dependencies": [{"jobId": first}, {"jobId": second}],
        "environment": [{"name": "stage", "value": "test"}, {"name": "snake_case", "value": "x"}],
    }
    after = {
        "clusterId": elsewhere.id,
        "source": {"savedQueries": {"queryIds": [each.id for each in world.queries[:2]]}},
        "schedule": {"cron": "0 7 * * *"},
        "dependencies": [{"jobId": third}, {"jobId": second, "condition": "ON_FAILURE"}],
        "environment": [{"name": "stage", "value": "live"}, {"name": "NEW", "value": ""}],
        "maxRetries": 3,
    }
    await change(ask, world, "createVersion", job_id, changes=before)
    await change(ask, world, "createVersion", job_id, changes=after)
    told = [
        ("clusterId", "CHANGED", "active", "elsewhere"),
        ("dependencies.first-one", "REMOVED", "first-one", None),
        ("dependencies.first-one.condition", "REMOVED", "ON_SUCCESS", None),
        ("dependencies.second-one.condition", "CHANGED", "ON_SUCCESS", "ON_FAILURE"),
        ("dependencies.third-one", "ADDED", None, "third-one"),
        ("dependencies.third-one.condition", "ADDED", None, "ON_SUCCESS"),
        ("environment.NEW", "ADDED", None, ""),
        ("environment.snake_case", "REMOVED", "x", None),
        ("environment.stage", "CHANGED", "test", "live"),
        ("maxRetries", "CHANGED", 0, 3),
        ("schedule.concurrencyPolicy", "CHANGED", "ALLOW", "SKIP"),
        ("schedule.cron", "CHANGED", "0 6 * * *", "0 7 * * *"),
        ("schedule.maxConcurrentRuns", "REMOVED", 2, None),
        ("source.savedQueries.queryIds.0", "ADDED", None, world.queries[0].name),
        ("source.savedQueries.queryIds.1", "ADDED", None, world.queries[1].name),
        ("source.sqlSnapshot.sql", "REMOVED", "SELECT 1", None),
    ]
    turned = {"ADDED": "REMOVED", "REMOVED": "ADDED", "CHANGED": "CHANGED"}
    assert sorted(await changes(ask, world, job_id, 3)) == told
    back = [(path, turned[kind], new, old) for path, kind, old, new in told]
    assert sorted(await changes(ask, world, job_id, 2, since=3)) == back


async def test_changes_since_any_version(ask: Ask, world: World, published: str) -> None:
    assert await changes(ask, world, published, 5) == [("maxRetries", "CHANGED", 2, 5)]
    assert await changes(ask, world, published, 5, since=4) == [("maxRetries", "CHANGED", 4, 5)]
    assert await changes(ask, world, published, 1, since=5) == [("maxRetries", "CHANGED", 5, 0)]
    assert await changes(ask, world, published, 2, since=2) == []


@pytest.mark.parametrize("since", [-1, 0, 3, 9])
async def test_changes_since_a_missing_version_are_an_error(ask: Ask, world: World, published: str, since: int) -> None:
    with pytest.raises(Failed, match=rf"^since: the job has no version {since}\.$"):
        await changes(ask, world, published, 2, since=since)


async def test_a_job_without_the_version_fails_no_other(ask: Ask, world: World, published: str) -> None:
    short = await ask.create_job(world.contributor, world, jobKey="short")
    query = """
      query ($published: ID!, $short: ID!) {
        published: job(id: $published) { currentVersion { changes(since: 4) { path } } }
        short: job(id: $short) { currentVersion { changes(since: 4) { path } } }
      }
    """
    context = Context(ask.database, caller(world.viewer))
    result = await execute(query, {"published": published, "short": short}, context, caller(world.viewer))
    await context.close()

    assert result.data == {"published": {"currentVersion": {"changes": [{"path": ["maxRetries"]}]}}, "short": None}
    assert [(each.path, each.message) for each in result.errors or ()] == [
        (["short", "currentVersion", "changes"], "since: the job has no version 4.")
    ]


async def test_history_is_newest_first_and_names_the_actor(ask: Ask, world: World, job_id: str) -> None:
    await change(ask, world, "createVersion", job_id, changes={"maxRetries": 1}, message="more patience")
    await ask(world.admin, PAUSE, id=job_id)
    history = (await ask(world.viewer, HISTORY, id=job_id))["job"]["events"]
    assert history["totalCount"] == 3
    told = [(each["action"], each["message"], each["actor"]["displayName"]) for each in history["nodes"]]
    created = ("VERSION_CREATED", "more patience", "contributor"), ("JOB_CREATED", None, "contributor")
    assert told == [("JOB_UPDATED", "holiday", "admin"), *created]


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 * * * *", "2026-03-28T23:30:00Z", ["29T01:00:00+01:00", "29T03:00:00+02:00", "29T04:00:00+02:00"]),
        ("30 2 * * *", "2026-03-27T12:00:00Z", ["28T02:30:00+01:00", "29T03:00:00+02:00", "30T02:30:00+02:00"]),
        ("0 * * * *", "2026-10-24T23:30:00Z", ["25T02:00:00+02:00", "25T02:00:00+01:00", "25T03:00:00+01:00"]),
        ("30 2 * * *", "2026-10-23T12:00:00Z", ["24T02:30:00+02:00", "25T02:30:00+02:00", "26T02:30:00+01:00"]),
        ("0 6 * * *", "2026-03-28T05:00:00Z", ["29T06:00:00+02:00", "30T06:00:00+02:00", "31T06:00:00+02:00"]),
        ("0 6 * * *", "2026-03-28T05:59:59+01:00", ["28T06:00:00+01:00", "29T06:00:00+02:00", "30T06:00:00+02:00"]),
        ("0 6 * * *", "2026-03-28T04:30:00", ["28T06:00:00+01:00", "29T06:00:00+02:00", "30T06:00:00+02:00"]),
    ],
    ids=["hourly-spring", "skipped", "hourly-autumn", "repeated", "on-the-dot", "with-an-offset", "without-an-offset"],
)
async def test_fire_times_follow_the_time_zone(
    ask: Ask, world: World, cron: str, after: str, expected: list[str]
) -> None:
    assert await fire_times(ask, world, cron, after=after) == [f"{after[:8]}{each}" for each in expected]


@pytest.mark.parametrize("count", [0, 1, 100])
async def test_next_fire_times_returns_count_items(ask: Ask, world: World, count: int) -> None:
    times = await fire_times(ask, world, "*/15 * * * *", count=count)
    assert len(set(times)) == count
    assert times == sorted(times)


@pytest.mark.parametrize("count", [-1, 101])
async def test_too_many_fire_times_are_an_error(ask: Ask, world: World, count: int) -> None:
    with pytest.raises(Failed, match=rf"^count: {count} is out of range, 0 to 100\.$"):
        await fire_times(ask, world, "*/15 * * * *", count=count)


async def test_a_draft_has_fire_times(ask: Ask, world: World, job_id: str) -> None:
    await change(ask, world, "createDraft", job_id, changes={"schedule": {"cron": "0 6 * * 1"}})
    data = await ask(world.viewer, SCHEDULES, id=job_id, count=2, after="2026-01-01T00:00:00Z")
    assert data["job"]["currentVersion"] == {"schedule": None}
    mondays = ["2026-01-05T06:00:00+00:00", "2026-01-12T06:00:00+00:00"]
    assert list(data["job"]["draft"]["schedule"].values()) == ["0 6 * * 1", "At 06:00 on Monday", mondays]


async def test_a_cluster_lists_jobs_by_current_version(ask: Ask, world: World, job_id: str, elsewhere: Cluster) -> None:
    ids, one = [world.cluster.id, elsewhere.id], (["daily-sales-etl"], 1)
    none: tuple[list[str], int] = ([], 0)
    await change(ask, world, "createDraft", job_id, changes={"clusterId": elsewhere.id})
    assert await listed(ask, world, ids) == [one, none]
    await change(ask, world, "publishDraft", job_id)
    assert await listed(ask, world, ids) == [none, one]
    await change(ask, world, "activateVersion", job_id, number=1)
    assert await listed(ask, world, ids) == [one, none]


@pytest.mark.usefixtures("job_id")
async def test_a_team_lists_its_granted_jobs(ask: Ask, world: World) -> None:
    await ask.create_job(world.admin, world, jobKey="shared", teamIds=[world.data_eng.id, world.analytics.id])
    ids = [world.data_eng.id, world.analytics.id, world.platform.id]
    assert await listed(ask, world, ids) == [(["daily-sales-etl", "shared"], 2), (["shared"], 1), ([], 0)]


@pytest.mark.parametrize("after", ["1999-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
async def test_a_preview_after_2999_is_an_error(ask: Ask, world: World, after: str) -> None:
    with pytest.raises(Failed) as failed:
        await fire_times(ask, world, "0 0 29 2 *", after=after)

    assert [type(each.original_error) for each in failed.value.errors] == [BadInput]


async def test_fire_times_are_computed_100_years_ahead(ask: Ask, world: World) -> None:
    assert len(await fire_times(ask, world, "0 0 29 2 *", after="2999-12-31T23:59:59Z", count=100)) == 24
