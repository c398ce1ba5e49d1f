"""A caller whose budget is used up is refused before its requests are read."""

from io import StringIO
from typing import Any

import orjson
import pytest

from mainsheet.server.errors import RateLimited
from mainsheet.server.http import early_refusal
from mainsheet.server.operations import debtors, gate
from mainsheet.server.operations.debtors import Debtors
from tests.abuse.wire import Connection, Response, connected, metric
from tests.server.conftest import Serve, Server
from tests.server.test_fair_queue import caller

NOT_READ = b"this is no JSON"
REFUSED = 'mainsheet_rate_limited_total{reason="points"}'
POINTS = 195
DEAR = "{ crashHard things(limit: 100) { nodes { name } } }"  # its estimate is charged, 202


async def in_debt(serve: Serve, **settings: Any) -> Server:
    """Return a server whose member has used up its points and was refused once."""
    server = await serve(points_per_minute=POINTS, **settings)
    assert (await server.post(DEAR)).status == 200
    assert (await server.post()).status == 429
    return server


def request(server: Server, *headers: str, body: bytes = NOT_READ) -> bytes:
    lines = [
        "POST /graphql HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Authorization: Bearer {server.token}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def answer(connection: Connection, request: bytes) -> Response:
    await connection.send(request)
    return await connection.response()


@pytest.mark.parametrize(
    "header",
    ["X-Other: 1", "Origin: https://harbor.example", f"X-Other: {'1' * early_refusal.LONGEST_HEAD}"],
    ids=["unparsed", "parsed", "too long to be recognized"],
)
async def test_a_debtors_request_is_refused_unread(serve: Serve, header: str) -> None:
    server = await in_debt(serve)

    async with connected(str(server.url)) as connection:
        responses = [await answer(connection, request(server, header)) for _ in range(2)]

    for each in responses:
        seconds = int(each.headers["Retry-After"])
        message = f"You or your organization have used up this minute's cost points. Try again in {seconds} s."
        extensions = {"code": "RATE_LIMITED", "retryAfter": seconds}
        assert each.status == 429
        assert 1 <= seconds <= 3
        assert orjson.loads(each.body) == {"errors": [{"message": message, "extensions": extensions}]}
        assert each.headers["Ratelimit-Policy"] == f'"points";q={POINTS};w=60, "database";q=120;w=60'
        assert each.headers["Ratelimit"].startswith('"points";r=0;t=6')
    assert await metric(str(server.url), REFUSED) == 3


async def test_the_responses_to_a_debtor_come_in_order(serve: Serve) -> None:
    server = await in_debt(serve)

    async with connected(str(server.url)) as connection:
        await connection.send(request(server))
        await connection.send(request(server, "Accept: application/graphql-response+json"))
        types = [(await connection.response()).headers["Content-Type"] for _ in range(2)]

    assert [each.partition(";")[0] for each in types] == ["application/json", "application/graphql-response+json"]


async def test_a_refusal_that_waits_is_sent_at_the_shutdown(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_refusal, "DEBTORS_DELAY", 3600)
    server = await in_debt(serve)

    async with connected(str(server.url)) as connection:
        await connection.send(request(server))
        while await metric(str(server.url), REFUSED) < 2:
            pass
        await server.stop()

        assert (await connection.response()).code == "RATE_LIMITED"
        assert await connection.ended() == b""


async def test_a_refusal_on_a_connection_of_a_proxy_is_sent_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_refusal, "DEBTORS_DELAY", 3600)
    server = await in_debt(serve, trusted_proxies=["127.0.0.1"])

    async with connected(str(server.url)) as connection:
        assert (await answer(connection, request(server))).code == "RATE_LIMITED"


async def test_a_debtors_token_is_authenticated_again_after_a_while(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await in_debt(serve)
    monkeypatch.setattr(gate, "AUTHENTICATED_SECONDS", -1)

    async with connected(str(server.url)) as connection:
        assert (await answer(connection, request(server))).status == 400  # it is read


async def test_a_debtor_may_leave_before_it_is_refused(serve: Serve, json_log: StringIO) -> None:
    server = await in_debt(serve)
    before = json_log.getvalue()

    async with connected(str(server.url)) as connection:
        await connection.send(request(server))
    async with connected(str(server.url)) as connection:
        assert (await answer(connection, request(server))).code == "RATE_LIMITED"  # after the first one's

    assert await metric(str(server.url), REFUSED) == 3
    assert "exception" not in json_log.getvalue().removeprefix(before)


async def test_a_debtors_request_in_parts_is_refused(serve: Serve) -> None:
    server = await in_debt(serve)

    async with connected(str(server.url)) as connection:
        await connection.send(request(server)[:-1])
        assert (await connection.response()).code == "RATE_LIMITED"


async def test_an_event_stream_of_a_debtor_begins(serve: Serve) -> None:
    server = await in_debt(serve)

    response = await server.post(accept="text/event-stream")

    assert response.headers["Content-Type"] == "text/event-stream"
    assert "RATE_LIMITED" in await response.text()


async def test_a_caller_that_is_out_of_debt_is_served_again(serve: Serve) -> None:
    server = await in_debt(serve)

    async with connected(str(server.url)) as connection:
        body = b'{"query": "{ hello }"}'
        while (response := await answer(connection, request(server, body=body))).status == 429:
            pass

    assert orjson.loads(response.body) == {"data": {"hello": "hello world"}}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_debtors_are_forgotten_when_none_can_be_in_debt() -> None:
    clock = Clock()
    known = Debtors(lambda _: RateLimited("You are in debt.", 1), clock)
    known.add(caller("A1"), 5)
    known.add(caller("B1"), 2)

    clock.now = 4.9
    assert known.debt_of(("ORB", "MBB1"))
    clock.now = 5
    assert not known
    assert known.debt_of(("ORA", "MBA1")) is None


def test_the_oldest_debtor_is_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debtors, "MOST_KNOWN", 2)
    known = Debtors(lambda _: RateLimited("You are in debt.", 1), Clock())

    for name in ("A1", "A2", "B1"):
        known.add(caller(name), 1)

    assert known.debt_of(("ORA", "MBA1")) is None
    assert known.debt_of(("ORA", "MBA2"))
    assert known.debt_of(("ORB", "MBB1"))
