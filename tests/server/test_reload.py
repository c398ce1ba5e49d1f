"""A subscriber of a server whose workers are replaced while events occur."""

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
from aiohttp import ClientSession

from mainsheet.models.database import Database
from mainsheet.server.live.messages import Close
from mainsheet.server.live.websocket import SUBPROTOCOL
from testbed.ask import Ask
from testbed.databases import opened, postgres_database
from testbed.world import World, make_world, token
from tests.server.commands import MAINSHEET, PATIENCE, clean, serving
from tests.server.failing import holding, waiting

EVENTS = "subscription ($after: String) { events(after: $after) { cursor message } }"
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
START = "{ events(last: 1) { pageInfo { endCursor } } }"
END = "the end"
MORE = 5  # events after the subscriber came back


@pytest.fixture
async def database(postgres_server: str, postgres_template: str) -> AsyncIterator[Database]:
    async with postgres_database(postgres_server, postgres_template) as url, opened(url) as database:
        yield database


async def test_a_subscriber_misses_no_event_when_the_workers_are_replaced(database: Database) -> None:
    ask, world = Ask(database), await make_world(database)
    job_id = await ask.create_job(world.contributor, world)
    after = (await ask(world.admin, START))["events"]["pageInfo"]["endCursor"]
    headers = {"Authorization": f"Bearer {await token(database, world.admin)}"}
    environment = {"MAINSHEET_DATABASE_URL": database.url, "MAINSHEET_POOL_SIZE": "3", "MAINSHEET_QUEUE_SECONDS": "0"}
    over, seen, returned_at = asyncio.Event(), list[str](), list[int]()

    with serving("--workers", "2", environment=environment) as server:
        async with (
            asyncio.timeout(PATIENCE),
            asyncio.TaskGroup() as group,
            ClientSession(headers=headers) as http,
            aclosing(subscribed(http, server.url, after)) as received,
        ):
            changing = group.create_task(changed(ask, world, job_id, over))
            async for message in received:
                if message is None:
                    returned_at.append(len(seen))
                    continue
                seen.append(message)
                if len(seen) == 1:
                    server.process.send_signal(signal.SIGHUP)
                if returned_at and len(seen) == returned_at[0] + MORE:
                    over.set()
                if message == END:
                    break

    assert seen == changing.result()
    assert returned_at


async def test_a_reload_before_the_workers_are_started_is_done_afterwards(database: Database) -> None:
    environment = {"MAINSHEET_DATABASE_URL": database.url, "MAINSHEET_POOL_SIZE": "3", "MAINSHEET_LOG_LEVEL": "info"}
    process = await asyncio.create_subprocess_exec(
        *(MAINSHEET, "serve", "--port", "0", "--workers", "2"),
        env=clean(environment),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    log = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async with holding(database, "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"):
                await waiting(database)
                process.send_signal(signal.SIGHUP)
            while b"reloaded" not in log:
                line = await process.stderr.readline()
                assert line, log.decode()
                log += line
            process.terminate()
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert process.returncode == 0


async def changed(ask: Ask, world: World, job_id: str, over: asyncio.Event) -> list[str]:
    """Change the job until the event is set, and once more. Return the messages of all changes."""
    made: list[str] = []
    while not made or made[-1] != END:
        made.append(END if over.is_set() else f"change {len(made)}")
        answer = await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": made[-1], "message": made[-1]})
        assert answer["updateJob"]["userErrors"] == []
    return made


async def subscribed(http: ClientSession, url: str, after: str) -> AsyncGenerator[str | None]:
    """Yield the events' messages, and None each time the server closes the connection, after which it resumes."""
    while True:
        async with http.ws_connect(url, protocols=[SUBPROTOCOL]) as socket:
            payload = {"query": EVENTS, "variables": {"after": after}}
            await socket.send_json({"type": "connection_init"})
            assert await socket.receive_json() == {"type": "connection_ack"}
            await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
            async for message in socket:
                event = message.json()["payload"]["data"]["events"]
                after = event["cursor"]
                yield event["message"]
            assert socket.close_code == Close.RESTARTING
        yield None
