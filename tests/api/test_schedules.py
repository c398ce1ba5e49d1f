"""Schedules in the API."""

from typing import Any

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from testbed.ask import Ask, config
from testbed.world import World

CREATE = """
mutation ($input: CreateJobInput!) { createJob(input: $input) {
  job { currentVersion { schedule { cron timezone } } } userErrors { message path }
} }
"""
SCHEDULE = """
query ($id: ID!) { job(id: $id) { currentVersion { number schedule {
  cron timezone description nextFireTimes(count: 2, after: "2026-01-01T00:00:00Z")
} } } }
"""
CREATE_VERSION = """
mutation ($input: CreateVersionInput!) { createVersion(input: $input) {
  version { number changes { path } } userErrors { message path }
} }
"""
UPDATE = "UPDATE job_version SET cron = :cron, timezone = :timezone WHERE job_id = :id"


async def create(ask: Ask, world: World, **schedule: Any) -> Any:
    values = {"jobKey": "k", "name": "n", "teamIds": [world.data_eng.id], "config": config(world, schedule=schedule)}
    return (await ask(world.contributor, CREATE, input=values))["createJob"]


async def stored(ask: Ask, database: Database, world: World, cron: str, timezone: str = "UTC") -> str:
    """Create a job with a schedule that only an earlier release accepted."""
    job_id = await ask.create_job(world.contributor, world, config=config(world, schedule={"cron": "0 6 * * *"}))
    async with database.writes.begin() as connection:
        await connection.execute(text(UPDATE), {"cron": cron, "timezone": timezone, "id": job_id})
    return job_id


async def schedule_of(ask: Ask, world: World, job_id: str) -> Any:
    return (await ask(world.viewer, SCHEDULE, id=job_id))["job"]["currentVersion"]["schedule"]


async def test_whitespace_in_cron_is_normalized(ask: Ask, world: World) -> None:
    created = await create(ask, world, cron="\t 0  6 *\t* MON-fri ")

    assert created["job"]["currentVersion"]["schedule"]["cron"] == "0 6 * * MON-fri"


async def test_the_cron_limit_applies_after_trimming(ask: Ask, world: World) -> None:
    longest = "0," * 45 + "00 * * * *"
    assert len(longest) == 100

    refused = await create(ask, world, cron=f"{longest}0")
    created = await create(ask, world, cron=f"   {longest}   ")

    assert refused["userErrors"] == [
        {"message": "Must be 1 to 100 characters long, but is 101.", "path": ["config", "schedule", "cron"]}
    ]
    assert created["job"]["currentVersion"]["schedule"]["cron"] == longest


async def test_all_errors_of_a_cron_expression_are_reported(ask: Ask, world: World) -> None:
    refused = await create(ask, world, cron="61 * * 13 *", timezone="Nowhere/Land")

    assert refused["job"] is None
    assert [(each["path"][-1], each["message"].split(":")[0]) for each in refused["userErrors"]] == [
        ("cron", "Minute"),
        ("cron", "Month"),
        ("timezone", "'Nowhere/Land' isn't a name of the IANA time zone database, as Europe/Berlin is."),
    ]


async def test_a_schedule_that_never_fires_is_refused(ask: Ask, world: World) -> None:
    refused = await create(ask, world, cron="*/10 2 * 3 0L", timezone="Europe/Berlin")
    created = await create(ask, world, cron="*/10 2 * 3 0L", timezone="UTC")

    assert refused["userErrors"] == [
        {
            "message": "Never fires: the clock in Europe/Berlin skips all of its times.",
            "path": ["config", "schedule", "cron"],
        }
    ]
    assert created["userErrors"] == []


@pytest.mark.parametrize("before", ["0 6 * * *", " 0\t6  * * * "])
async def test_different_whitespace_is_no_change(ask: Ask, database: Database, world: World, before: str) -> None:
    job_id = await stored(ask, database, world, before)

    values = {"jobId": job_id, "changes": {"schedule": {"cron": "  0 6 *  * *"}, "maxRetries": 1}}
    answer = (await ask(world.contributor, CREATE_VERSION, input=values))["createVersion"]

    assert answer == {"version": {"number": 2, "changes": [{"path": ["maxRetries"]}]}, "userErrors": []}


@pytest.mark.parametrize(
    ("cron", "description"),
    [
        ("0 0 12 * *  ?", "This expression isn't supported: Must have five fields"),
        ("0 0 30 2 *", "This expression isn't supported: Day of month: 30 doesn't occur in the month 2"),
        ("0 0 * * \u017fun", "This expression isn't supported: Must be printable ASCII"),
        ("", "This expression isn't supported: Must have five fields"),
    ],
)
async def test_a_stored_unsupported_cron_can_be_read_and_replaced(
    ask: Ask, database: Database, world: World, cron: str, description: str
) -> None:
    job_id = await stored(ask, database, world, cron)

    schedule = await schedule_of(ask, world, job_id)
    values = {"jobId": job_id, "changes": {"schedule": {"cron": "0 7 * * *"}}}
    answer = await ask(world.contributor, CREATE_VERSION, input=values)

    assert schedule["description"].startswith(description)
    assert schedule["nextFireTimes"] == []
    assert answer["createVersion"]["version"]["changes"] == [{"path": ["schedule", "cron"]}]


async def test_a_stored_unknown_time_zone_can_be_read(ask: Ask, database: Database, world: World) -> None:
    job_id = await stored(ask, database, world, "0 6 * * *", "localtime")

    schedule = await schedule_of(ask, world, job_id)

    assert schedule["description"] == "At 06:00 every day"
    assert schedule["nextFireTimes"] == []
