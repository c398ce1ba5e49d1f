"""Cursors of a feed whose events were deleted or restored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncpg import DivisionByZeroError  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import delete, text, update
from sqlalchemy.pool import QueuePool
from structlog.testing import capture_logs

from mainsheet.models import feed as feed_model
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.feed import CursorExpired, begin_epoch, begin_epoch_after_restore, expire, follow_timelines
from mainsheet.models.unavailable import ReadOnly
from mainsheet.server.errors import cause_of, formatted
from testbed.ask import Ask, Failed
from testbed.databases import opened
from testbed.world import World

FEED = """query ($after: String) { events(after: $after) {
  nodes { id action cursor } pageInfo { endCursor } } }"""
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"

EPOCH = text("SELECT epoch FROM feed")
READ_ONLY = "&options=-c%20default_transaction_read_only%3Don"


OLDER = ("after: $cursor, sortDirection: DESC", "before: $cursor")
NEWER = ("after: $cursor", "before: $cursor, sortDirection: DESC")
PAGE = "query ($cursor: String) {{ events({}) {{ nodes {{ action }} }} }}"


async def feed(ask: Ask, world: World, after: str | None = None) -> Any:
    return (await ask(world.admin, FEED, after=after))["events"]


async def refusal(ask: Ask, world: World, after: str) -> CursorExpired:
    with pytest.raises(Failed) as raised:
        await feed(ask, world, after)
    (error,) = raised.value.errors
    cause = cause_of(error)
    assert isinstance(cause, CursorExpired)
    extensions = formatted(error, "")["extensions"]
    assert extensions == {"code": "CURSOR_EXPIRED", "oldestCursor": cause.oldest_cursor}
    return cause


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world)


async def test_a_cursor_before_deleted_events_is_expired(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    start = (await feed(ask, world))["nodes"][0]["cursor"]
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})
    end = (await feed(ask, world))["pageInfo"]["endCursor"]

    assert await expire(database, timedelta(days=1)) == 0
    assert await expire(database, timedelta(0)) == 2
    oldest = (await refusal(ask, world, start)).oldest_cursor
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "third"})

    for after in (oldest, end):
        assert [each["action"] for each in (await feed(ask, world, after))["nodes"]] == ["JOB_UPDATED"]


async def expired_cursor(ask: Ask, world: World, database: Database, job_id: str) -> str:
    """Delete this event and a later one. Return its cursor."""
    cursor: str = (await feed(ask, world))["nodes"][0]["cursor"]
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})
    await expire(database, timedelta(0))
    return cursor


@pytest.mark.parametrize("arguments", OLDER)
async def test_a_reader_of_older_events_comes_to_an_end(
    ask: Ask, world: World, database: Database, job_id: str, arguments: str
) -> None:
    start = await expired_cursor(ask, world, database, job_id)

    assert (await ask(world.admin, PAGE.format(arguments), cursor=start))["events"]["nodes"] == []


@pytest.mark.parametrize("arguments", NEWER)
async def test_a_reader_of_newer_events_learns_that_some_were_deleted(
    ask: Ask, world: World, database: Database, job_id: str, arguments: str
) -> None:
    start = await expired_cursor(ask, world, database, job_id)

    with pytest.raises(Failed, match="This cursor is expired"):
        await ask(world.admin, PAGE.format(arguments), cursor=start)


async def test_events_of_a_clock_that_ran_ahead_hold_up_no_others(
    ask: Ask, world: World, database: Database, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_model, "BATCH", 2)
    for number in range(8):
        await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": f"name {number}"})
    events = (await feed(ask, world))["nodes"]
    ahead = {events[index]["id"] for index in (0, 1, 2, 5)}
    async with database.writes.begin() as connection:
        later = update(Event).where(Event.id.in_(ahead)).values(occurred_at=datetime.now(UTC) + timedelta(days=1))
        await connection.execute(later)

    assert await expire(database, timedelta(0)) == 5

    assert {each["id"] for each in (await feed(ask, world))["nodes"]} == ahead
    await refusal(ask, world, events[0]["cursor"])
    assert (await feed(ask, world, events[-1]["cursor"]))["nodes"] == []


async def test_many_events_of_a_clock_that_ran_ahead_hold_up_no_others(
    ask: Ask, world: World, database: Database, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them follow each other than are searched for a batch; numbers between them are missing."""
    monkeypatch.setattr(feed_model, "MOST_READ", 2)
    for number in range(11):
        await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": f"name {number}"})
    ids = [each["id"] for each in (await feed(ask, world))["nodes"]]
    ahead = {*ids[1:4], *ids[5:8]}
    async with database.writes.begin() as connection:
        later = update(Event).where(Event.id.in_(ahead)).values(occurred_at=datetime.now(UTC) + timedelta(days=1))
        await connection.execute(later)
        await connection.execute(delete(Event).where(Event.id.in_(ids[4:6])))

    assert await expire(database, timedelta(0)) == 5

    assert {each["id"] for each in (await feed(ask, world))["nodes"]} == ahead - {ids[5]}


async def test_an_organization_without_events_can_read_on(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    end = (await feed(ask, world))["pageInfo"]["endCursor"]
    assert await expire(database, timedelta(0)) == 1

    quiet = await feed(ask, world)
    read_on = await feed(ask, world, quiet["pageInfo"]["endCursor"])

    assert await feed(ask, world, end) == read_on == quiet
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})
    new = await feed(ask, world, read_on["pageInfo"]["endCursor"])
    assert [each["action"] for each in new["nodes"]] == ["JOB_UPDATED"]


async def test_events_of_other_organizations_expire_no_cursor(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    before = (await ask(world.foreign.admin, FEED))["events"]
    await expire(database, timedelta(0))

    after = (await ask(world.foreign.admin, FEED, after=before["pageInfo"]["endCursor"]))["events"]

    assert before["nodes"] == []
    assert after == before


async def test_a_cursor_after_the_end_of_a_restored_feed_is_expired(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    end = (await feed(ask, world))["pageInfo"]["endCursor"]
    async with database.writes.begin() as connection:
        await connection.execute(text("DELETE FROM event"))

    await refusal(ask, world, end)


async def test_a_cursor_of_an_event_that_a_restore_lost_gets_all_new_ones(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})
    end = (await feed(ask, world))["pageInfo"]["endCursor"]
    async with database.writes.begin() as connection:
        await connection.execute(text("DELETE FROM event WHERE action = 'JOB_UPDATED'"))
    await begin_epoch_after_restore(database)

    assert (await feed(ask, world, end))["nodes"] == []
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "third"})
    assert [each["action"] for each in (await feed(ask, world, end))["nodes"]] == ["JOB_UPDATED"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_events_of_a_younger_cluster_come_after_the_restored_ones(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    assert not await begin_epoch(database)
    async with database.writes.begin() as connection:
        await connection.execute(text("UPDATE event SET transaction_id = 1000000000"))  # of the older cluster

    assert await begin_epoch(database)
    assert not await begin_epoch(database)
    restored = await feed(ask, world)
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})
    new = await feed(ask, world, restored["pageInfo"]["endCursor"])

    assert [each["action"] for each in restored["nodes"] + new["nodes"]] == ["JOB_CREATED", "JOB_UPDATED"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_cursor_of_a_lost_event_is_valid_before_a_promoted_standby_is_written(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    follow_timelines(database)
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})
    end = (await feed(ask, world))["pageInfo"]["endCursor"]
    async with database.writes.begin() as connection:
        await connection.execute(text("DELETE FROM event WHERE action = 'JOB_UPDATED'"))
    await database.writes.dispose()
    async with database.writes.begin() as connection:  # as if the timeline was the primary's
        await connection.execute(text("UPDATE feed SET timeline = timeline + 1"))

    read_on = await feed(ask, world, end)
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "third"})
    new = await feed(ask, world, read_on["pageInfo"]["endCursor"])

    assert read_on["nodes"] == []
    assert [each["action"] for each in new["nodes"]] == ["JOB_UPDATED"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_standby_is_not_kept_for_writes(database: Database) -> None:
    async with opened(database.url + READ_ONLY) as standby:
        follow_timelines(standby)
        with pytest.raises(ReadOnly):
            async with standby.writes.connect():
                pass

        assert isinstance(standby.writes.pool, QueuePool)
        assert standby.writes.pool.checkedin() == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_without_timelines_is_written_unchecked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_model, "TIMELINE", "SELECT pg_no_such_function()")
    feed_model._log_unknown_timeline.cache_clear()  # noqa: SLF001 each process logs it once
    follow_timelines(database)
    await database.writes.dispose()

    with capture_logs() as log:
        async with database.writes.begin() as connection:
            assert await connection.scalar(EPOCH) == 1

    assert len(log) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_whose_timeline_cant_be_read_is_not_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_model, "TIMELINE", "SELECT 1 / 0")
    follow_timelines(database)
    await database.writes.dispose()

    with capture_logs() as log, pytest.raises(DivisionByZeroError):
        await database.writes.connect()

    assert log == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_events_of_a_promoted_standby_come_after_those_that_readers_saw(
    ask: Ask, world: World, database: Database, job_id: str
) -> None:
    follow_timelines(database)
    await database.writes.dispose()
    async with database.writes.begin() as connection:
        epoch = await connection.scalar(EPOCH)
        await connection.execute(text("UPDATE feed SET timeline = timeline + 1"))  # as if it was the primary's
        await connection.execute(text("UPDATE event SET transaction_id = 1000000000"))  # of the primary
    await database.writes.dispose()

    with capture_logs() as log:
        await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": "second"})

    assert [(each["log_level"], each["epoch"]) for each in log if "epoch" in each] == [("warning", epoch + 1)]
    assert [each["action"] for each in (await feed(ask, world))["nodes"]] == ["JOB_CREATED", "JOB_UPDATED"]
    async with database.writes.begin() as connection:
        assert await connection.scalar(EPOCH) == epoch + 1
