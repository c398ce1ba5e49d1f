"""Guessed tokens and requests without one, sent to a real server."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import get_introspection_query

from tests.abuse.wire import OTHER_ADDRESS, Response, ask, metric, post
from tests.server.commands import Serving, expect_no_traceback, serving

PER_MINUTE = 30
HELLO = b'{"query": "{ __typename }"}'
ATTACKER, VICTIM = "127.0.0.3", "127.0.0.4"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("abuse") / "log"


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[Serving]:
    url = f"sqlite:///{log.parent}/demo.sqlite3"
    environment = {
        "MAINSHEET_WRONG_TOKENS_PER_MINUTE": str(PER_MINUTE),
        "MAINSHEET_PUBLIC_INTROSPECTION": "true",
        "MAINSHEET_TRUSTED_PROXIES": OTHER_ADDRESS,
    }
    with (
        log.open("w") as stream,
        serving("--demo", "--database-url", url, environment=environment, log=stream) as server,
    ):
        yield server
    expect_no_traceback(logged(log))


def logged(log: Path) -> str:
    return log.read_text("utf-8")


def body(query: str) -> bytes:
    return json.dumps({"query": query}).encode()


async def test_wrong_tokens_are_limited_by_address(server: Serving, log: Path) -> None:
    known, fresh = list(server.tokens.values())[:2]
    assert (await ask(server.url, post(HELLO, known), address=ATTACKER)).status == 200

    wrong = [post(HELLO, f"mst_{number:043}") for number in range(5 * PER_MINUTE)]
    refusals = [await ask(server.url, request, address=ATTACKER) for request in wrong]

    statuses = Counter(each.status for each in refusals)
    assert set(statuses) == {401, 429}
    assert PER_MINUTE <= statuses[401] < 2 * PER_MINUTE
    assert (refusals[-1].status, refusals[-1].code) == (429, "RATE_LIMITED")
    assert int(refusals[-1].headers["Retry-After"]) >= 1
    assert (await ask(server.url, post(HELLO, known), address=ATTACKER)).status == 200
    assert (await ask(server.url, post(HELLO, "mst_x"), address=VICTIM)).status == 401
    assert (await retried(server.url, post(HELLO, fresh))).status == 200
    assert await metric(server.url, 'mainsheet_http_refused_total{reason="wrong_tokens"}') >= statuses[429]
    lines = [line for line in logged(log).splitlines() if f"client={ATTACKER}" in line]
    assert sum("too many wrong tokens" in line for line in lines) == 1


async def retried(url: str, request: bytes) -> Response:
    """Repeat a request until the server no longer answers 429."""
    response = await ask(url, request, address=ATTACKER)
    if response.status != 429:
        return response
    await asyncio.sleep(float(response.headers["Retry-After"]))
    return await retried(url, request)


async def test_clients_of_a_trusted_proxy_are_limited_separately(server: Serving) -> None:
    async def guess(client: str) -> int:
        request = post(HELLO, "mst_wrong", X_Forwarded_For=f"203.0.113.9, {client}")
        return (await ask(server.url, request, address=OTHER_ADDRESS)).status

    for _ in range(2 * PER_MINUTE):
        last = await guess("2001:db8::1")

    assert last == 429
    assert await guess("2001:db8::ffff") == 429  # of the same /64
    assert await guess("2001:db8:0:1::1") == 401


@pytest.mark.parametrize(
    "query",
    [
        "{ me { actor { displayName } } }",
        "{ nothing }",
        "{",
        "{ __typename me { nothing } }",
        "{ " + "a " * 8_000 + "}",
    ],
    ids=lambda query: query[:20],
)
async def test_without_a_token_only_introspection_is_allowed(server: Serving, query: str) -> None:
    assert (await ask(server.url, post(body(query)))).status == 401


async def test_public_introspection_limits_root_fields(server: Serving) -> None:
    query = "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(10)) + "}"

    assert (await ask(server.url, post(body(query)))).status == 401


async def test_full_public_introspection_needs_no_token(server: Serving) -> None:
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )

    response = await ask(server.url, post(body(query)))

    assert response.status == 200
    assert len(json.loads(response.body)["data"]["__schema"]["types"]) > 50
