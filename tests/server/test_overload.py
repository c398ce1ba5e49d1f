"""Which requests a server refuses, and which it still answers, when all slots are taken and no request may wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse, web

from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.http.early_refusal import EarlyRefusal
from mainsheet.server.http.protocol import Protocol
from mainsheet.server.live.websocket import SUBPROTOCOL
from mainsheet.server.operations.admission import Place
from mainsheet.server.paths import GRAPHQL_PATH
from tests.abuse.wire import PATIENCE, Connection, Response, connected, metric, post
from tests.server.conftest import Serve, Server
from tests.server.small_api import Context

NO_WAIT = 1e-9
MESSAGE = "The server is overloaded: nothing was executed or changed. Try again in {} s."
REFUSED = 'mainsheet_http_refused_total{reason="overload"}'
HELLO = b'{"query": "{ hello }"}'


@dataclass
class Full:
    """A server with one slot, a request that runs and one that waits."""

    server: Server
    requests: list[asyncio.Task[ClientResponse]]
    running: Context

    async def end(self) -> list[int]:
        """Let all requests end, and return their statuses."""
        self.running.may_end.set()
        (await self.server.contexts.get()).may_end.set()
        responses = [await each for each in self.requests]
        for response in responses:
            await response.read()  # to its end, so that its connection isn't left open
        return [each.status for each in responses]

    def post(self, *headers: str) -> bytes:
        """Return a request with lines of headers, which needn't be well-formed."""
        lines = [
            "POST /graphql HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/json",
            f"Authorization: Bearer {self.server.token}",
            f"Content-Length: {len(HELLO)}",
            *headers,
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + HELLO


async def filled(server: Server, operation: str, accept: str = "*/*") -> Full:
    first = asyncio.create_task(server.post(operation, accept=accept))
    running = await server.contexts.get()
    await running.started.wait()
    second = asyncio.create_task(server.post(operation, accept=accept))
    async with asyncio.timeout(PATIENCE):
        while not await metric(str(server.url), "mainsheet_graphql_queue_length"):
            pass
    return Full(server, [first, second], running)


@pytest.fixture
async def full(serve: Serve) -> AsyncIterator[Full]:
    server = await serve(queue_seconds=NO_WAIT, organization_share=1)
    full = await filled(server, "{ wait }")
    yield full
    for each in full.requests:
        each.cancel()


def assert_refused(response: Response) -> None:
    retry_after = response.headers["Retry-After"]
    assert response.status == 503
    assert 1 <= int(retry_after) <= 4
    extensions = {"code": "OVERLOADED", "retryAfter": int(retry_after)}
    assert orjson.loads(response.body) == {
        "errors": [{"message": MESSAGE.format(retry_after), "extensions": extensions}]
    }
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def refused(connection: Connection, *parts: bytes) -> Response:
    for part in parts:
        await connection.send(part)
    assert_refused(response := await connection.response())
    return response


async def codes(response: ClientResponse) -> list[str]:
    return [each["extensions"]["code"] for each in (await response.json())["errors"]]


async def test_the_newest_is_refused_and_the_oldest_are_served(full: Full) -> None:
    async with connected(str(full.server.url)) as connection:
        await refused(connection, full.post())

    assert await full.end() == [200, 200]
    assert (await full.server.post()).status == 200


async def test_a_refused_client_keeps_its_connection(full: Full) -> None:
    async with connected(str(full.server.url)) as connection:
        await refused(connection, full.post())
        await refused(connection, full.post("Origin: https://harbor.example"))  # this one is parsed
        await refused(connection, full.post())
        await full.end()

        await connection.send(full.post())
        assert (await connection.response()).status == 200


@pytest.mark.parametrize("header", ["Origin: https://harbor.example", "Expect: 100-continue", "Connection: close"])
async def test_requests_that_need_more_are_parsed_and_refused(full: Full, header: str) -> None:
    async with connected(str(full.server.url)) as connection:
        await refused(connection, full.post(header))


@pytest.mark.parametrize(
    "header",
    [
        f"Content-Length: {len(HELLO)}",
        f"Content-Length: {len(HELLO)}\r\nContent-Length: {len(HELLO) + 1}",
        f"Content-Length : {len(HELLO) + 1}",
        f"X-One: 1\nContent-Length: {len(HELLO) + 1}",
        "X-One: 1\x00",
        " folded: 1",
        "no header",
    ],
)
async def test_a_request_of_doubtful_framing_is_left_to_the_parser(full: Full, header: str) -> None:
    async with connected(str(full.server.url)) as connection:
        await connection.send(full.post(header))
        assert (await connection.response()).status == 400
        assert await connection.ended() == b""


async def test_refused_clients_are_not_idle(serve: Serve) -> None:
    server = await serve(queue_seconds=NO_WAIT, organization_share=1, header_timeout_seconds=1, idle_timeout_seconds=1)
    full = await filled(server, "{ wait }")
    async with connected(str(server.url)) as refused_one, connected(str(server.url)) as silent:
        cut = asyncio.create_task(silent.ended())
        while not cut.done():
            await refused(refused_one, full.post())

        await refused(refused_one, full.post())
    await full.end()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The data that isn't refused unread."""
    parsed: list[bytes] = []
    data_received = web.RequestHandler.data_received

    def received(protocol: web.RequestHandler, data: bytes) -> None:
        if data:
            parsed.append(data)
        data_received(protocol, data)

    monkeypatch.setattr(web.RequestHandler, "data_received", received)
    return parsed


async def test_a_request_right_after_a_response_is_refused_unread(
    full: Full, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_response = Protocol.finish_response

    async def finished(protocol: Protocol, *args: Any) -> tuple[web.StreamResponse, bool]:
        result = await finish_response(protocol, *args)
        asyncio.get_running_loop().call_soon(protocol.data_received, full.post())  # before aiohttp waits for it
        return result

    first = full.post("Origin: https://harbor.example")
    async with connected(str(full.server.url)) as connection:
        monkeypatch.setattr(Protocol, "finish_response", finished)
        await refused(connection, first)
        assert_refused(await connection.response())
        monkeypatch.undo()
    assert parsed == [first]


class SeenPlace(Place):
    """It isn't counted. It tells when it is left."""

    def __init__(self, left: asyncio.Queue[None]) -> None:
        self._left = left

    def leave(self) -> None:
        self._left.put_nowait(None)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[None]:
    """The places that are left. Each request gets one."""
    left: asyncio.Queue[None] = asyncio.Queue()
    monkeypatch.setattr(EarlyRefusal, "place", lambda *_: SeenPlace(left))
    return left


async def test_a_request_leaves_its_place_before_its_operation_waits(serve: Serve, left: asyncio.Queue[None]) -> None:
    full = await filled(await serve(organization_share=1), "{ wait }")
    async with asyncio.timeout(PATIENCE), connected(str(full.server.url)) as connection:
        await connection.send(full.post())
        await left.get()
        await full.end()
        assert (await connection.response()).status == 200
    assert left.empty()


async def test_a_stream_leaves_its_place_before_it_begins(serve: Serve, left: asyncio.Queue[None]) -> None:
    full = await filled(await serve(organization_share=1), "{ wait }")
    async with asyncio.timeout(PATIENCE), connected(str(full.server.url)) as connection:
        await connection.send(full.post("Accept: text/event-stream"))
        await left.get()
        await full.end()


async def test_an_invalid_request_leaves_its_place(serve: Serve, left: asyncio.Queue[None]) -> None:
    full = await filled(await serve(organization_share=1), "{ wait }")
    async with asyncio.timeout(PATIENCE), connected(str(full.server.url)) as connection:
        await connection.send(full.post().replace(HELLO, b"x" * len(HELLO)))
        assert (await connection.response()).status == 400
        await left.get()
    await full.end()


async def test_a_client_that_leaves_leaves_its_place(
    serve: Serve, left: asyncio.Queue[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = await filled(await serve(organization_share=1), "{ wait }")
    has_begun = asyncio.Event()

    async def authenticate(*_: object) -> None:
        has_begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Authenticator, "caller", authenticate)
    async with asyncio.timeout(PATIENCE):
        async with connected(str(full.server.url)) as connection:
            await connection.send(full.post())
            await has_begun.wait()
        await left.get()
    await full.end()


async def test_nothing_is_refused_early_while_a_response_is_unsent(full: Full, monkeypatch: pytest.MonkeyPatch) -> None:
    protocols: list[Protocol] = []
    connection_made = Protocol.connection_made

    def made(protocol: Protocol, transport: asyncio.BaseTransport) -> None:
        protocols.append(protocol)
        connection_made(protocol, transport)

    monkeypatch.setattr(Protocol, "connection_made", made)
    async with connected(str(full.server.url)) as connection:
        await refused(connection, full.post())
        protocols[0].pause_writing()  # as the transport does
        for _ in range(3):
            await connection.send(full.post())
            assert (await full.server.http.get("/livez")).status == 200
        assert await metric(str(full.server.url), REFUSED) <= 2

        protocols[0].resume_writing()
        for _ in range(3):
            assert_refused(await connection.response())


async def test_a_request_in_parts_is_refused_once(full: Full) -> None:
    request = full.post()
    async with connected(str(full.server.url)) as connection:
        await refused(connection, request[:20], request[20:])
    async with connected(str(full.server.url)) as connection:
        await refused(connection, request[:-5])  # its connection is closed
        assert b"HTTP" not in await connection.ended()


async def test_pipelined_requests_are_all_refused(full: Full) -> None:
    async with connected(str(full.server.url)) as connection:
        await refused(connection, 2 * full.post())
        assert_refused(await connection.response())


async def test_a_refusal_has_the_media_type_that_is_asked_for(full: Full) -> None:
    async with connected(str(full.server.url)) as connection:
        response = await refused(connection, full.post("Accept: application/graphql-response+json"))
        assert response.headers["Content-Type"].startswith("application/graphql-response+json")

        response = await refused(connection, full.post())
        assert response.headers["Content-Type"].startswith("application/json")


async def test_get_is_refused_too(full: Full) -> None:
    response = await full.server.get(query="{ hello }")

    assert (response.status, await codes(response)) == (503, ["OVERLOADED"])


async def test_health_and_metrics_are_answered(full: Full) -> None:
    async with connected(str(full.server.url)) as connection:
        await refused(connection, full.post())

    for path in ("/livez", "/readyz", "/metrics"):
        assert (await full.server.http.get(path)).status == 200
    assert await metric(str(full.server.url), REFUSED) == 1


async def test_a_mutation_is_refused_while_queries_wait_for_too_long(full: Full) -> None:
    response = await full.server.post("mutation { greet }")  # what it asks for isn't read

    assert (response.status, await codes(response)) == (503, ["OVERLOADED"])


async def test_mutations_that_wait_for_too_long_dont_refuse_queries(serve: Serve) -> None:
    server = await serve(queue_seconds=NO_WAIT, organization_share=1)
    full = await filled(server, "mutation { wait }")

    response = await server.post("mutation { wait }")

    assert (response.status, await codes(response)) == (503, ["OVERLOADED"])
    assert (await server.post()).status == 200
    assert await full.end() == [200, 200]


async def test_a_mutation_whose_client_left_still_counts(serve: Serve) -> None:
    server = await serve(queue_seconds=NO_WAIT, organization_share=1)
    full = await filled(server, "mutation { wait }")
    full.requests.pop(0).cancel()
    await full.running.abandoned.wait()

    response = await server.post("mutation { wait }")

    assert (response.status, await codes(response)) == (503, ["OVERLOADED"])
    assert await full.end() == [200]


async def test_event_streams_of_queries_wait_and_are_refused_too(serve: Serve) -> None:
    server = await serve(queue_seconds=NO_WAIT, organization_share=1)
    full = await filled(server, "{ wait }", accept="text/event-stream")

    response = await server.post()

    assert (response.status, await codes(response)) == (503, ["OVERLOADED"])
    assert await full.end() == [200, 200]
    assert (await server.post()).status == 200


async def test_operations_of_a_websocket_wait_and_are_refused_too(full: Full) -> None:
    http, headers = full.server.http, full.server.headers
    async with http.ws_connect(GRAPHQL_PATH, protocols=[SUBPROTOCOL], headers=headers) as connection:
        await connection.send_json({"type": "connection_init"})
        assert (await connection.receive_json())["type"] == "connection_ack"
        await connection.send_json({"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}})
        answer = await connection.receive_json()

    assert answer["type"] == "error"
    assert [each["extensions"]["code"] for each in answer["payload"]] == ["OVERLOADED"]
    assert 1 <= answer["payload"][0]["extensions"]["retryAfter"] <= 4
    assert await metric(str(full.server.url), REFUSED) == 1
    assert await full.end() == [200, 200]


async def test_requests_whose_bodies_are_late_refuse_nobody(serve: Serve) -> None:
    server = await serve(queue_seconds=NO_WAIT, organization_share=1)
    late = post(HELLO, server.token, Expect="100-continue")
    async with AsyncExitStack() as stack:
        for _ in range(8):
            connection = await stack.enter_async_context(connected(str(server.url)))
            await connection.send(late[: -len(HELLO)])
            assert await connection.reader.readline() == b"HTTP/1.1 100 Continue\r\n"

        assert [(await server.post()).status for _ in range(3)] == [200] * 3
