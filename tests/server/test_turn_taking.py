"""Requests at the turns of their callers, and what these are told: answered, or left by their clients before."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from mainsheet.server.live.websocket import SUBPROTOCOL
from mainsheet.server.operations import turns
from mainsheet.server.operations.admission import CallerKey
from mainsheet.server.operations.turns import RequestTurns
from mainsheet.server.paths import GRAPHQL_PATH
from tests.abuse.wire import PATIENCE, Connection, connected, get, post
from tests.server.conftest import MEMBER_ID, Serve, Server

QUERY = b'{"query": "{ hello }"}'
LONG_HEAD = b"\r\nCookie: " + 5000 * b"a"
SUBSCRIPTION = b'{"query": "subscription { ticks }"}'


class Ended(asyncio.Queue[bool]):
    """Whether each request was answered, in the order in which they ended."""

    async def first(self, count: int) -> list[bool]:
        async with asyncio.timeout(PATIENCE):
            return [await self.get() for _ in range(count)]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ended:
    ended = Ended()

    def record(_turns: RequestTurns, _caller: object, *, is_answered: bool) -> None:
        ended.put_nowait(is_answered)

    monkeypatch.setattr(RequestTurns, "ended", record)
    return ended


async def answered(connection: Connection, request: bytes) -> int:
    await connection.send(request)
    return (await connection.response()).status


async def test_long_requests_that_arrive_together_are_all_read(server: Server) -> None:
    request = post(QUERY + 200_000 * b" ", server.token)
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(str(server.url))) for _ in range(20)]

        assert set(await asyncio.gather(*[answered(each, request) for each in connections])) == {200}


async def test_a_request_that_waits_is_answered_at_the_shutdown(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "ABANDONED_PER_MINUTE", -1)  # all requests begin slowly
    monkeypatch.setattr(turns, "SLOW_SECONDS", 3600)
    server = await serve()
    async with connected(str(server.url)) as first, connected(str(server.url)) as second:
        assert await answered(first, post(QUERY, server.token)) == 200
        await second.send(post(QUERY, server.token))
        assert await answered(first, get("/livez")) == 200

        response = asyncio.create_task(second.response())
        await server.stop()

        assert (await response).status == 200


async def test_if_too_many_requests_wait_others_are_refused(
    serve: Serve, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "ABANDONED_PER_MINUTE", -1)  # all requests begin slowly
    monkeypatch.setattr(turns, "MOST_SLOW", 0)
    server = await serve()
    for request in (post(QUERY, server.token), post(QUERY, server.token).replace(b"\r\n", LONG_HEAD + b"\r\n", 1)):
        async with connected(str(server.url)) as connection:
            assert await answered(connection, request) == 503

    await server.stop()
    assert ended.empty()  # they count for nothing


@pytest.mark.parametrize(
    "request_",
    [
        post(QUERY, "TOKEN"),
        post(QUERY, "TOKEN").replace(b"Bearer ", b"bearer   "),
        post(QUERY, "TOKEN").replace(b"\r\n", LONG_HEAD + b"\r\n", 1),
        get("/nothing", Authorization="Bearer another") + post(QUERY, "TOKEN"),
    ],
    ids=["as usual", "spelled otherwise", "behind a long header", "behind another request"],
)
async def test_each_request_has_a_turn(server: Server, monkeypatch: pytest.MonkeyPatch, request_: bytes) -> None:
    callers: list[CallerKey] = []

    def record(_turns: RequestTurns, caller: CallerKey, _turn: object) -> bool:
        callers.append(caller)
        return True

    assert (await server.post()).status == 200  # the token is known from now on
    monkeypatch.setattr(RequestTurns, "begins_now", record)
    async with connected(str(server.url)) as connection:
        await connection.send(request_.replace(b"TOKEN", server.token.encode()))
        while (await connection.response()).status != 200:
            pass

    assert [actor for _, actor in callers].count(MEMBER_ID) == 1


async def test_requests_of_a_connection(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        assert await answered(connection, post(QUERY, server.token)) == 200
        assert await answered(connection, post(QUERY, server.token)) == 200

    assert await ended.first(2) == [True, True]


async def test_the_last_request_of_a_connection(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        assert await answered(connection, post(QUERY, server.token, Connection="close")) == 200
        await connection.ended()

    assert await ended.first(1) == [True]


async def test_a_request_without_a_token_counts_for_nobody(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        assert await answered(connection, get("/livez")) == 200
    async with connected(str(server.url)) as connection:
        await connection.send(post(b"{", server.token, length=100))

    assert await ended.first(1) == [False]


async def test_a_refused_request_whose_body_is_unread(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        assert await answered(connection, post(b"{", "wrong", length=100)) == 401

    assert await ended.first(1) == [True]


async def test_a_request_whose_client_leaves_while_it_is_executed(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        await connection.send(post(b'{"query": "{ wait }"}', server.token))
        async with asyncio.timeout(PATIENCE):
            await (await server.contexts.get()).started.wait()

    assert await ended.first(1) == [False]


async def test_a_request_behind_another_whose_client_leaves(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        await connection.send(get("/livez") + post(b'{"query": "{ wait }"}', server.token))
        async with asyncio.timeout(PATIENCE):
            await (await server.contexts.get()).started.wait()

    assert await ended.first(1) == [False]


async def test_a_part_of_a_head_is_no_request(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        assert await answered(connection, post(QUERY, server.token)) == 200
        await connection.send(b"POST /graphql HTTP/1.1\r\n")
    async with connected(str(server.url)) as connection:
        await connection.send(post(b"{", server.token, length=100))

    assert await ended.first(2) == [True, False]


async def test_an_event_stream_that_its_client_ends(server: Server, ended: Ended) -> None:
    async with connected(str(server.url)) as connection:
        await connection.send(post(SUBSCRIPTION, server.token, Accept="text/event-stream"))
        assert b" 200 " in await connection.reader.readline()

    assert await ended.first(1) == [True]


async def test_a_websocket_that_its_client_ends(server: Server, ended: Ended) -> None:
    async with server.http.ws_connect(GRAPHQL_PATH, protocols=[SUBPROTOCOL], headers=server.headers):
        pass

    assert await ended.first(1) == [True]
