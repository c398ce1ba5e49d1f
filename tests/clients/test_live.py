"""The clients of both protocols read events, and resume after a cursor as `examples/subscriptions` shows."""

import asyncio
import shutil
from asyncio import StreamReader, StreamWriter
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from examples.subscriptions.gql_client import follow
from tests.clients.conftest import ADMIN, Clients

EXAMPLES = Path(__file__).parents[2] / "examples/subscriptions"


@pytest.fixture(scope="module", autouse=True)
def _examples(clients: Clients) -> None:
    shutil.copytree(EXAMPLES, clients.folder / "live/subscriptions", ignore=shutil.ignore_patterns("*.py"))


async def test_the_clients_of_both_protocols_read_the_same_events(clients: Clients) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd="live") == ""

    seen = await clients.script("live/events.ts")

    assert [each["action"] for each in seen["live"]] == ["DRAFT_CREATED", "DRAFT_PUBLISHED"]
    assert seen["resumed"] == seen["live"][1:]
    assert seen["streamed"] == seen["live"]
    assert seen["query"] == {"organization": {"name": "harbor"}}


async def test_clients_that_lose_their_connection_miss_no_event(clients: Clients) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd="live") == ""

    found = await clients.script("live/resume.ts")

    assert set(found) == {"ws", "sse", "urql", "apollo", "relay"}
    for name, each in found.items():
        assert each["taken"] == each["all"], name
        assert len(each["taken"]) == 7


async def test_a_python_client_that_loses_its_connection_misses_no_event(clients: Clients) -> None:
    target, token = URL(clients.demo.url), clients.demo.tokens[ADMIN]
    pairs: set[asyncio.Task[None]] = set()

    async def forward(near_reader: StreamReader, near: StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection(target.host, target.port)
        pairs.update(asyncio.create_task(_copied(*each)) for each in ((near_reader, far), (far_reader, near)))

    async with (
        ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        await asyncio.start_server(forward, "127.0.0.1") as proxy,
    ):
        start = await _asked(
            http, target, "{ events(last: 1) { pageInfo { endCursor } } jobs(first: 1) { nodes { id } } }"
        )
        after, job_id = start["events"]["pageInfo"]["endCursor"], start["jobs"]["nodes"][0]["id"]
        through = str(target.with_port(proxy.sockets[0].getsockname()[1]))
        async with aclosing(follow(through, token, after)) as events:
            taken = []
            for round_ in range(3):
                for name in ("one", "two"):
                    change = (
                        f'updateJob(input: {{jobId: "{job_id}", name: "{name} {round_}"}}) {{ userErrors {{ code }} }}'
                    )
                    await _asked(http, target, f"mutation {{ {change} }}")
                taken += [(await anext(events))["id"] for _ in range(2)]
                for each in pairs:
                    each.cancel()
        stored = await _asked(http, target, f'{{ events(after: "{after}") {{ nodes {{ id }} }} }}')

    assert taken == [each["id"] for each in stored["events"]["nodes"]]


async def _copied(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
    finally:
        writer.transport.abort()


async def _asked(http: ClientSession, url: URL, query: str) -> dict[str, Any]:
    async with http.post(url, json={"query": query}) as response:
        data: dict[str, Any] = (await response.json())["data"]
        return data
