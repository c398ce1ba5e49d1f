"""The clients of both protocols read events, and resume after a cursor as `examples/subscriptions` shows."""

import asyncio
import re
import shutil
from asyncio import StreamReader, StreamWriter
from contextlib import aclosing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from examples.subscriptions.gql_client import Refused, follow, websocket_url
from mainsheet.models.event import START, Event
from mainsheet.resolvers.sql.pagination import cursor
from tests.clients.conftest import ADMIN, Clients

EXPIRED = cursor.encode(Event.position, "9" * len(START), "")  # as after the restoration of an older database
LOST = "Events were lost; going on from now. Those that are left follow "
EXAMPLES = Path(__file__).parents[2] / "examples/subscriptions"


@pytest.fixture(scope="module", autouse=True)
def _examples(clients: Clients) -> None:
    shutil.copytree(EXAMPLES, clients.folder / "live/subscriptions", ignore=shutil.ignore_patterns("*.py"))


async def test_the_examples_have_no_type_errors(clients: Clients) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd="live") == ""


async def test_the_clients_of_both_protocols_read_the_same_events(clients: Clients) -> None:
    seen = await clients.script("live/events.ts")

    assert [each["action"] for each in seen["live"]] == ["DRAFT_CREATED", "DRAFT_PUBLISHED"]
    assert seen["resumed"] == seen["live"][1:]
    assert seen["streamed"] == seen["live"]
    assert seen["query"] == {"organization": {"name": "harbor"}}


async def test_clients_that_lose_their_connection_miss_no_event(clients: Clients) -> None:
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


async def test_clients_end_or_go_on_after_an_error_as_its_code_says(clients: Clients) -> None:
    found = await clients.script("live/refused.ts", EXPIRED=EXPIRED)

    assert set(found) == {"ws", "sse", "urql", "apollo", "relay"}
    for name, each in found.items():
        assert "This cursor isn't one of this list" in each["wrongCursor"], name
        assert re.search("4403|401", each["wrongToken"]), (name, each)
        assert each["expired"]["taken"] == "JOB_UPDATED", name
        assert [text.startswith(LOST) for text in each["expired"]["warnings"]] == [True], (name, each)


async def test_a_python_client_ends_or_goes_on_after_an_error_as_its_code_says(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    url, token = URL(clients.demo.url), clients.demo.tokens[ADMIN]
    for secret, after, message in ((token, "nonsense", "cursor"), ("mst_wrong", None, "token")):
        with pytest.raises(Refused, match=message):
            await anext(follow(str(url), secret, after))

    async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        job_id = (await _asked(http, url, "{ jobs(first: 1) { nodes { id } } }"))["jobs"]["nodes"][0]["id"]
        async with aclosing(follow(str(url), token, EXPIRED)) as events:
            first = asyncio.ensure_future(anext(events))
            for number in count():
                if first.done():
                    break
                change = f'updateJob(input: {{jobId: "{job_id}", name: "again {number}"}}) {{ userErrors {{ code }} }}'
                await _asked(http, url, f"mutation {{ {change} }}")
            assert (await first)["action"] == "JOB_UPDATED"
    assert LOST in caplog.text


def test_only_the_scheme_of_a_url_is_replaced() -> None:
    assert websocket_url("https://http.example/graphql") == "wss://http.example/graphql"


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
