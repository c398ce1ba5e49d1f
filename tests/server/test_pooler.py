"""The server behind PgBouncer in transaction mode, where each transaction may run in another session."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from sqlalchemy import make_url

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.databases import execute
from testbed.pgbouncer import pgbouncer
from testbed.world import World, token
from tests.server.commands import mainsheet, serving

CLIENTS = 10
SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "random_page_cost": "1.1",
    "statement_timeout": "20000",
    "idle_in_transaction_session_timeout": "25000",
    "lock_timeout": "1000",
}
RENAME = """
mutation ($id: ID!, $text: String) {
  updateJob(input: {jobId: $id, description: $text}) { job { description currentVersion { cluster { name } } }
  userErrors { code } }
}
"""
READ = "query ($id: ID!) { job(id: $id) { description createdBy { id } currentVersion { cluster { name } } } }"
ONE_STATEMENT = "query ($id: ID!) { job(id: $id) { name } }"
EVENTS = "subscription { events { cursor action } }"


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def pooled_url(postgres_url: str) -> Iterator[str]:
    with pgbouncer(postgres_url) as url:
        yield url


async def set_all(postgres_url: str, postgres_server: str) -> None:
    name = make_url(postgres_url).database
    for setting, value in SETTINGS.items():
        await execute(postgres_server, f"ALTER DATABASE {name} SET {setting} = '{value}'")


async def test_it_serves_concurrent_clients(
    postgres_url: str, postgres_server: str, pooled_url: str, world: World
) -> None:
    await set_all(postgres_url, postgres_server)
    database = Database.open(postgres_url)
    ask = Ask(database)
    ids = [await ask.create_job(world.contributor, world, jobKey=f"job-{number}") for number in range(5)]
    secret = await token(database, world.contributor)
    await database.close()
    environment = {"MAINSHEET_DATABASE_URL": pooled_url, "MAINSHEET_DATABASE_POOLING": "transaction"}
    with serving(environment=environment) as server:
        async with ClientSession(headers={"Authorization": f"Bearer {secret}"}) as http:

            async def send(query: str, **variables: Any) -> Any:
                async with http.post(server.url, json={"query": query, "variables": variables}) as response:
                    assert response.status == 200, await response.text()
                    answer = await response.json()
                    assert "errors" not in answer, answer
                    return answer["data"]

            async def work(number: int) -> None:
                job_id, text = ids[number % 5], f"by client {number}"
                for _ in range(5):
                    changed = (await send(RENAME, id=job_id, text=text))["updateJob"]
                    assert changed["userErrors"] == []
                    assert changed["job"]["currentVersion"]["cluster"]
                    assert (await send(READ, id=job_id))["job"]["createdBy"]
                    assert (await send(ONE_STATEMENT, id=job_id))["job"]["name"]

            async def first_event() -> bytes:
                accept = {"Accept": "text/event-stream"}
                async with http.post(server.url, json={"query": EVENTS}, headers=accept) as response:
                    return await anext(line async for line in response.content if b"JOB_UPDATED" in line)

            event = asyncio.create_task(first_event())
            await asyncio.gather(*map(work, range(CLIENTS)))
            for number in count(CLIENTS):  # the subscription may have begun after the last change
                if event.done():
                    break
                await work(number)
            assert await event


def test_pgbouncer_without_the_setting_is_refused_with_its_name(pooled_url: str) -> None:
    refused = mainsheet("db", "status", MAINSHEET_DATABASE_URL=pooled_url)

    assert refused.returncode == 1
    assert refused.stderr.endswith("for PgBouncer, set MAINSHEET_DATABASE_POOLING=transaction\n")


@pytest.mark.usefixtures("world")
def test_a_backup_through_a_pooler_is_refused(pooled_url: str, tmp_path: Path) -> None:
    environment = {"MAINSHEET_DATABASE_URL": pooled_url, "MAINSHEET_DATABASE_POOLING": "transaction"}
    refused = mainsheet("db", "backup", str(tmp_path / "copy"), **environment)

    assert (refused.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "pg_dump can't use a transaction pooler" in refused.stderr
    (tmp_path / "copy").touch()
    assert "pg_restore can't use" in mainsheet("db", "restore", str(tmp_path / "copy"), **environment).stderr


async def test_a_session_without_timeouts_is_refused(pooled_url: str, world: World) -> None:
    refused = mainsheet(
        "serve", MAINSHEET_DATABASE_URL=pooled_url, MAINSHEET_DATABASE_POOLING="transaction", MAINSHEET_PORT="0"
    )

    assert refused.returncode == 1
    assert "ALTER ROLE postgres SET statement_timeout = '20000';" in refused.stderr
    assert "ALTER ROLE postgres SET lock_timeout = '5000';" in refused.stderr
