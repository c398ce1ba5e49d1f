"""Queries are read from a replica that has replayed what their token stands for, otherwise from the primary."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from mainsheet.models import replicas
from mainsheet.models.database import Database, Patience
from mainsheet.models.replica import END_BEFORE, REPLAYED_POSITION
from mainsheet.server.http.consistency import ANY, HEADER, UNKNOWN, signed
from testbed.ask import job_input
from testbed.databases import connected, execute
from testbed.postgres import Postgres
from testbed.world import World, make_service_account, token
from tests.chaos.standbys import direct_url
from tests.replicas.conftest import PATIENCE, Client, paused, replayed, serving

CREATE = """
mutation ($input: CreateJobInput!) { createJob(input: $input) { job { id name } userErrors { code } } }
"""
JOBS = "{ me { jobs(first: 5) { totalCount } } }"
FEED = "{ events(first: 10) { nodes { action } } }"
READ_ON = "query ($after: String) { events(after: $after) { nodes { action } pageInfo { endCursor } } }"
OTHER_KEY = "ab" * 32


def count(data: dict[str, Any]) -> int:
    return int(data["me"]["jobs"]["totalCount"])


async def test_a_query_with_a_token_finds_the_change_on_the_replica(ask: Client, world: World) -> None:
    created = await ask(CREATE, input=job_input(world))
    await ask.until_used(created.token)

    read = await ask(JOBS, created.token)

    assert count(read.data) == 1
    assert ask.routes.taken == ["replica"]
    assert read.token is None


async def test_a_change_that_the_replica_lacks_is_read_from_the_primary(
    ask: Client, world: World, standby: Postgres
) -> None:
    await ask.until_used()
    async with paused(standby):
        created = await ask(CREATE, input=job_input(world))

        with_token, with_any, without = await ask(JOBS, created.token), await ask(JOBS, ANY), await ask(JOBS)

    assert created.data["createJob"]["job"]["name"] == "Daily sales"
    assert (count(with_token.data), count(with_any.data), count(without.data)) == (1, 0, 1)
    assert ask.routes.taken == ["behind", "replica"]


async def test_a_caller_that_the_replica_lacks_is_read_from_the_primary(
    ask: Client, database: Database, world: World, standby: Postgres
) -> None:
    await ask.until_used()
    async with paused(standby):
        async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
            account = await make_service_account(session, world.organization, name="new")
        ask.authorize(await token(database, account))
        read = await ask("{ me { actor { displayName } } }", ANY)

    assert read.data["me"]["actor"] == {"displayName": "new"}
    assert ask.routes.taken == ["replica", "failed"]


async def test_a_replica_that_lags_is_not_read(database: Database, world: World, standby: Postgres) -> None:
    async with serving(database, world.contributor, [standby], replica_max_lag_seconds=0.5) as ask:
        await ask.until_used()
        async with paused(standby):
            created = await ask(CREATE, input=job_input(world))
            await ask.until_unused()

            read = await ask(JOBS, ANY)

        assert created.token != UNKNOWN
        assert count(read.data) == 1
        assert ask.routes.taken == ["behind"]


@pytest.mark.parametrize("sent", [UNKNOWN, signed(1, OTHER_KEY)], ids=["unknown", "of another timeline"])
async def test_an_unknown_token_leads_to_the_primary_and_is_renewed(ask: Client, world: World, sent: str) -> None:
    created = await ask(CREATE, input=job_input(world))

    read = await ask(JOBS, sent)
    await ask.until_used(read.token)

    assert count(read.data) == 1
    assert ask.routes.taken == ["unknown"]
    assert ask.position(read.token) >= ask.position(created.token)


async def test_queries_with_unknown_tokens_share_a_statement(ask: Client, database: Database) -> None:
    held = [await database.read_pool.take() for _ in range(database.read_pool.size)]

    first, second = await asyncio.gather(ask.replicas.written(), ask.replicas.written())

    assert first is not None
    assert first is second
    for each in held:
        await database.read_pool.give_back(each)


async def test_a_mutation_does_not_wait_for_an_unknown_position(ask: Client, database: Database, world: World) -> None:
    async with asyncio.timeout(PATIENCE), database.writes.begin() as connection:
        await connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        created = await ask(CREATE, input=job_input(world))

    assert created.data["createJob"]["job"]["name"] == "Daily sales"
    assert created.token == UNKNOWN


async def test_an_unknown_position_is_logged_once(ask: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ask.until_used()
    monkeypatch.setattr(replicas, "WRITTEN", "SELECT 1 / 0")

    with capture_logs() as log:
        answers = [await ask(CREATE, input=job_input(world, jobKey=key)) for key in ("one", "two", "three")]

    assert {each.token for each in answers} == {UNKNOWN}
    assert len([each for each in log if each["event"] == replicas.UNKNOWN_POSITION]) == 1


async def test_a_replica_of_an_idle_primary_comes_as_far_as_that(
    ask: Client, world: World, primary: Postgres, standby: Postgres
) -> None:
    """PostgreSQL begins a new file of its log by itself, too, after `archive_timeout`."""
    await ask(CREATE, input=job_input(world))
    await execute(primary.url, "SELECT pg_switch_wal()")

    written = await ask.replicas.written()
    await replayed(primary, standby)

    assert written is not None
    async with connected(standby.url) as connection:
        assert written.position <= await connection.fetchval(REPLAYED_POSITION)


@pytest.mark.parametrize(
    ("inserted", "end"),
    [
        ("1/52000028", "1/52000000"),  # the first page of a file
        ("1/52002018", "1/52002000"),  # another page
        ("1/52002028", "1/52002028"),  # there, a record has 16 bytes before this
        ("1/520020D8", "1/520020D8"),
    ],
)
async def test_headers_of_pages_are_not_waited_for(primary: Postgres, inserted: str, end: str) -> None:
    expression = END_BEFORE.format(inserted=f"'{inserted}'::pg_lsn")

    async with connected(primary.url) as connection:
        assert await connection.fetchval(f"SELECT ({expression}) = '{end}'::pg_lsn - '0/0'")


async def test_a_malformed_header_is_refused(ask: Client) -> None:
    for sent in ("", "ANY", "any,any", UNKNOWN[:-1], f"{UNKNOWN}=", "é" * 32, "*" * 32, [ANY, ANY]):
        answer = await ask(JOBS, sent)

        assert answer.status == 400
        assert HEADER in answer.body["errors"][0]["message"]


async def test_a_refused_mutation_has_a_token_too(ask: Client, world: World) -> None:
    await ask(CREATE, input=job_input(world))

    refused = await ask(CREATE, input=job_input(world))

    assert [each["code"] for each in refused.data["createJob"]["userErrors"]] == ["JOB_KEY_TAKEN"]
    await ask.until_used(refused.token)


async def test_a_replica_with_another_revision_is_not_read(
    ask: Client, world: World, standby: Postgres, primary: Postgres
) -> None:
    await ask.until_used()
    async with paused(standby):
        await execute(direct_url(primary), "UPDATE alembic_version SET version_num = version_num || 'a'")
        try:
            await ask.until_unused()
            read = await ask(JOBS, ANY)
        finally:
            await execute(direct_url(primary), "UPDATE alembic_version SET version_num = rtrim(version_num, 'a')")

    assert count(read.data) == 0
    assert ask.routes.taken == ["behind"]


async def test_the_feed_of_a_replica_waits_for_older_transactions(
    ask: Client, database: Database, world: World
) -> None:
    async with database.writes.connect() as older:
        await older.execute(text("SELECT pg_current_xact_id()"))
        first = await ask(CREATE, input=job_input(world))
        await ask.until_used(first.token)
        held = await ask(FEED, first.token)
        await older.rollback()
    second = await ask(CREATE, input=job_input(world, jobKey="weekly"))
    await ask.until_used(second.token)

    complete = await ask(FEED, second.token)

    assert held.data["events"]["nodes"] == []
    assert len(complete.data["events"]["nodes"]) == 2
    assert ask.routes.taken == ["replica", "replica"]


async def test_a_cursor_that_a_replica_has_not_reached_stays_where_it_is(
    ask: Client, world: World, standby: Postgres
) -> None:
    await ask.until_used()
    async with paused(standby):
        await ask(CREATE, input=job_input(world))
        newest = (await ask(READ_ON)).data["events"]["pageInfo"]["endCursor"]

        behind = await ask(READ_ON, ANY, after=newest)

    assert behind.data["events"] == {"nodes": [], "pageInfo": {"endCursor": newest}}
    assert ask.routes.taken == ["replica"]


async def test_a_failed_mutation_has_a_token_that_leads_to_the_primary(
    database: Database, database_url: str, world: World, standby: Postgres
) -> None:
    served = Database.open(database_url, patience=Patience(lock=0.1))
    async with serving(served, world.contributor, [standby]) as ask:
        await ask.until_used()
        async with database.writes.begin() as connection:
            await connection.execute(text("LOCK TABLE job IN ACCESS EXCLUSIVE MODE"))
            failed = await ask(CREATE, input=job_input(world))
        read = await ask(JOBS, failed.token)
    await served.close()

    assert (failed.status, failed.token) == (503, UNKNOWN)
    assert count(read.data) == 0
    assert ask.routes.taken == ["unknown"]
