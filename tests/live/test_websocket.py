"""The protocol `graphql-transport-ws`: each test is named by what the protocol says."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from multidict import CIMultiDict
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database
from mainsheet.models.organization import Organization
from mainsheet.server.http.turn_taking import protocol_of
from mainsheet.server.live.messages import LONGEST_FIRST
from mainsheet.server.live.pings import SILENT_ROUNDS, Pings
from mainsheet.server.live.websocket import SUBPROTOCOL
from mainsheet.server.paths import GRAPHQL_PATH
from testbed.ask import Ask
from testbed.world import World
from tests.live.conftest import PATIENCE, Live, Start
from tests.live.test_subscriptions import end, rename

EVENTS = "subscription { events { id } }"
ACTIONS = "subscription ($after: String) { events(after: $after) { action } }"
RENAMED = {"data": {"events": {"action": "JOB_UPDATED"}}}
WORK = {"subscription", "websocket operation"}
SIZES = (125, 126, 65_535, 65_536)  # the last and the first with each form of the length in a frame's header
NAME = "{ organization { name } }"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The protocol is the same on each database."""
    return sqlite_url


async def test_queries_are_answered_and_completed(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", NAME)
        told = [await socket.receive() for _ in range(2)]

    assert told == [
        {"type": "next", "id": "1", "payload": {"data": {"organization": {"name": "harbor"}}}},
        {"type": "complete", "id": "1"},
    ]


async def test_the_token_may_be_in_the_header(live: Live, world: World) -> None:
    headers = {"Authorization": f"Bearer {await live.secret(world.viewer)}"}
    async with live.http.ws_connect("/graphql", protocols=["graphql-transport-ws"], headers=headers) as raw:
        await raw.send_json({"type": "connection_init"})

        assert await raw.receive_json() == {"type": "connection_ack"}


async def test_an_invalid_operation_ends_alone(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", "{ nothing")
        refused = await socket.receive()
        await socket.subscribe("2", NAME)

        assert (refused["type"], refused["id"]) == ("error", "1")
        assert refused["payload"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
        assert (await socket.receive())["type"] == "next"


async def test_a_ping_gets_a_pong(live: Live) -> None:
    async with live.socket() as socket:
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
        await socket.send(type="pong")
        await socket.send(type="ping", payload={})
        assert await socket.receive() == {"type": "pong"}


@pytest.fixture
async def pinging(start: Start, monkeypatch: pytest.MonkeyPatch) -> tuple[Live, Pings]:
    """Start a server, and return it with its rounds of pings, which the test begins."""
    found: list[Pings] = []

    async def running(self: Pings, _app: object) -> AsyncIterator[None]:
        found.append(self)
        yield

    monkeypatch.setattr(Pings, "running", running)
    return await start(), found[0]


async def test_a_client_that_sends_something_is_not_pinged(pinging: tuple[Live, Pings]) -> None:
    live, pings = pinging
    async with live.http.ws_connect("/graphql", protocols=["graphql-transport-ws"], autoping=False) as raw:
        for _ in range(3 * SILENT_ROUNDS):
            await pings.ping()
            await raw.send_json({"type": "ping"})
            assert (await raw.receive(PATIENCE)).json() == {"type": "pong"}


async def test_a_silent_client_is_pinged_and_cut_off_if_it_does_not_answer(pinging: tuple[Live, Pings]) -> None:
    live, pings = pinging
    async with live.http.ws_connect("/graphql", protocols=["graphql-transport-ws"], autoping=False) as raw:
        for _ in range(2):
            for _ in range(SILENT_ROUNDS):
                await pings.ping()
            assert (await raw.receive(PATIENCE)).type is WSMsgType.PING
            await raw.pong()
            await raw.ping(b"data")
            answer = await raw.receive(PATIENCE)
            assert (answer.type, answer.data) == (WSMsgType.PONG, b"data")

        for _ in range(SILENT_ROUNDS + 1):
            await pings.ping()
        assert (await raw.receive(PATIENCE)).type is WSMsgType.PING
        assert (await raw.receive(PATIENCE)).type is WSMsgType.CLOSED
    async with live.http.get("/metrics") as response:
        assert 'mainsheet_http_refused_total{reason="silent"} 1.0' in await response.text()


async def test_a_client_that_is_receiving_is_pinged_and_answered_later(pinging: tuple[Live, Pings]) -> None:
    live, pings = pinging
    async with live.http.ws_connect("/graphql", protocols=["graphql-transport-ws"], autoping=False) as raw:
        await raw.send_json({"type": "ping"})
        assert (await raw.receive(PATIENCE)).json() == {"type": "pong"}
        (connection,) = pings.connections
        protocol = protocol_of(connection.request)
        protocol.pause_writing()
        await raw.ping(b"data")
        for _ in range(3 * SILENT_ROUNDS):
            await pings.ping()
        protocol.resume_writing()

        assert (await raw.receive(PATIENCE)).type is WSMsgType.PONG
        for _ in range(SILENT_ROUNDS):
            await pings.ping()
        assert (await raw.receive(PATIENCE)).type is WSMsgType.PING


async def test_an_open_connection_keeps_its_headers_once(pinging: tuple[Live, Pings]) -> None:
    live, pings = pinging
    async with live.socket():
        (connection,) = pings.connections

        assert connection.request.headers["Upgrade"] == "websocket"
        assert connection.request.raw_headers == ()


async def test_results_of_each_size_of_frame_arrive(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "renamed")
    async with live.socket(world.viewer) as socket:
        overhead, received = 0, []
        for size in (0, *SIZES):  # the id is a part of the message
            id_ = "x" * max(1, size - overhead)
            await socket.subscribe(id_, ACTIONS, after=after)
            text = await socket.raw.receive_str(timeout=PATIENCE)
            await socket.send(type="complete", id=id_)
            overhead = len(text) - len(id_)
            received.append((len(text), orjson.loads(text)["payload"] == RENAMED))

    assert received[1:] == [(size, True) for size in SIZES]


def running_tasks() -> set[str]:
    return {each.get_name() for each in asyncio.all_tasks()}


async def test_an_idle_subscription_has_no_task(live: Live, ask: Ask, world: World, job_id: str) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", ACTIONS, after=await end(ask, world))
        await rename(ask, world, job_id, "renamed")
        await socket.receive()

        async with asyncio.timeout(PATIENCE):
            while running_tasks() & WORK:  # noqa: ASYNC110 nothing is set when a task ends
                await asyncio.sleep(0)
        await rename(ask, world, job_id, "again")
        assert (await socket.receive())["payload"] == RENAMED


async def test_a_completed_operation_may_have_its_id_used_again(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        for _ in range(2):
            await socket.subscribe("1", EVENTS)
            await socket.send(type="complete", id="1")
        await socket.send(type="complete", id="unknown")
        await socket.subscribe("1", NAME)

        assert (await socket.receive())["type"] == "next"


async def test_an_id_in_use_closes_the_connection(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS)
        await socket.subscribe("1", EVENTS)

        assert await socket.code() == 4409


async def test_the_reason_of_a_close_fits_into_its_frame(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        for _ in range(2):
            await socket.subscribe("⛵" * 50, EVENTS)
        closed = await socket.raw.receive(timeout=PATIENCE)

    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 4409)
    assert str(closed.extra).startswith("Subscriber for ⛵⛵")


async def test_variables_that_are_not_declared_may_be_nested_deeply(
    live: Live, ask: Ask, world: World, job_id: str
) -> None:
    nested: list[Any] = []
    for _ in range(500):
        nested = [nested]
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", ACTIONS, after=await end(ask, world), other=nested)
        await rename(ask, world, job_id, "renamed")

        assert (await socket.receive())["payload"] == RENAMED


async def test_another_subprotocol_is_refused(live: Live) -> None:
    async with live.http.ws_connect("/graphql", protocols=["graphql-ws"]) as raw:
        await raw.receive()

        assert raw.close_code == 4406


@pytest.mark.parametrize(
    "text",
    ["", "{", "1", "[]", "{}", '{"type": "start"}', '{"type": "subscribe"}', '{"type": "subscribe", "id": "1"}',
     '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}',
     '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
     '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
     '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}',
     '{"type": "complete"}'],
)  # fmt: skip
async def test_an_invalid_message_closes_the_connection(live: Live, world: World, text: str) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.raw.send_str(text)

        assert await socket.code() == 4400


async def test_binary_messages_are_invalid(live: Live) -> None:
    async with live.socket() as socket:
        await socket.raw.send_bytes(b"{}")

        assert await socket.code() == 4400


async def test_nothing_runs_before_the_acknowledgement(live: Live) -> None:
    async with live.socket() as socket:
        await socket.subscribe("1", NAME)

        assert await socket.code() == 4401


@pytest.mark.parametrize("payload", [None, {}, {"Authorization": "Bearer mst_x"}, {"Authorization": 1}, 1])
async def test_a_wrong_token_is_forbidden(live: Live, payload: Any) -> None:
    async with live.socket() as socket:
        await socket.send(type="connection_init", payload=payload)

        assert await socket.code() == 4403


async def test_a_client_may_try_again_after_too_many_wrong_tokens(start: Start) -> None:
    live = await start(wrong_tokens_per_minute=1)
    codes = []
    for _ in range(2):
        async with live.socket() as socket:
            await socket.send(type="connection_init", payload={"Authorization": "Bearer mst_x"})
            codes.append(await socket.code())

    assert codes == [4403, 1013]
    async with live.http.get("/metrics") as response:
        assert 'mainsheet_http_refused_total{reason="wrong_tokens"} 1.0' in await response.text()


async def test_a_second_initialisation_closes_the_connection(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.send(type="connection_init")

        assert await socket.code() == 4429


async def test_a_connection_must_be_initialised_in_time(start: Start) -> None:
    live = await start(websocket_init_seconds=0.01)
    async with live.socket() as socket:
        assert await socket.code() == 4408


async def test_a_revoked_token_ends_the_connection(start: Start, world: World, database: Database) -> None:
    live = await start(token_cache_seconds=0.01)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS)
        async with AsyncSession(database.writes) as session, session.begin():
            await session.execute(update(AccessToken).values(revoked_at=AccessToken.created_at))

        assert await socket.code() == 4403


async def test_a_connection_has_a_limit_of_operations(start: Start, world: World) -> None:
    live = await start(max_operations_per_connection=1)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS)
        await socket.subscribe("2", EVENTS)
        refused = await socket.receive()

    assert (refused["type"], refused["id"]) == ("error", "2")
    assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize(
    "setting", ["max_subscriptions", "max_subscriptions_per_organization", "max_subscriptions_per_caller"]
)
async def test_subscriptions_are_limited(start: Start, world: World, setting: str) -> None:
    live = await start(**{setting: 1})
    async with live.socket(world.viewer) as socket:
        for id_ in ("1", "2"):
            await socket.subscribe(id_, EVENTS)
        refused = await socket.receive()

        assert (refused["type"], refused["id"]) == ("error", "2")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_first_messages_are_short(live: Live, world: World) -> None:
    long = {"type": "ping", "payload": {"text": "x" * LONGEST_FIRST}}
    async with live.socket() as socket:
        await socket.send(**long)
        assert await socket.code() == 4400

    async with live.socket(world.viewer) as socket:
        await socket.send(**long)
        assert await socket.receive() == {"type": "pong"}


async def test_two_authorization_headers_are_refused(live: Live, world: World) -> None:
    secrets = [await live.secret(each) for each in (world.viewer, world.admin)]
    headers = CIMultiDict([("Authorization", f"Bearer {each}") for each in secrets])

    with pytest.raises(WSServerHandshakeError) as refused:
        await live.http.ws_connect(GRAPHQL_PATH, protocols=[SUBPROTOCOL], headers=headers)

    assert refused.value.status == 400


async def test_only_get_opens_a_connection(live: Live, world: World) -> None:
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    own = {"Authorization": f"Bearer {await live.secret(world.viewer)}", "Sec-WebSocket-Key": "A" * 22 + "=="}
    async with live.http.post(GRAPHQL_PATH, json={"query": NAME}, headers=handshake | own) as response:
        assert await response.json() == {"data": {"organization": {"name": "harbor"}}}


async def test_a_result_is_limited_in_bytes(start: Start, world: World, database: Database) -> None:
    live = await start(max_answer_bytes=1024)
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(Organization).values(name="é" * 200))
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", f"{{ {' '.join(f'o{number}: organization {{ name }}' for number in range(3))} }}")
        refused = (await socket.receive())["payload"]

    assert refused["data"] is None
    assert refused["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"
