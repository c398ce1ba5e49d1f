"""Connections that occupy the server without use: half-open, silent, idle, unread."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.abuse.wire import OTHER_ADDRESS, PATIENCE, ask, connected, get, metric, post
from tests.server.commands import Serving, expect_no_traceback, serving

PER_ADDRESS = 20
OWN_ADDRESS = "127.0.0.6"  # of one test: the server may not know yet that connections of other tests have ended
HALF_A_HEAD = b"POST /graphql HTTP/1.1\r\nHost: a\r\nX: "
# Its response is larger than the kernel's buffers.
LARGE = b'{"query": "{ jobs(limit: 100) { nodes { %s: id } } }"}' % (b"a" * 300_000)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("abuse") / "log"


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[Serving]:
    settings = {
        "HEADER_TIMEOUT_SECONDS": "1",
        "IDLE_TIMEOUT_SECONDS": "1",
        "WRITE_TIMEOUT_SECONDS": "1",
        "MAX_ANSWER_BYTES": "20000000",
        "MAX_CONNECTIONS": str(2 * PER_ADDRESS),
        "MAX_CONNECTIONS_PER_ADDRESS": str(PER_ADDRESS),
    }
    environment = {f"MAINSHEET_{name}": value for name, value in settings.items()}
    url = f"sqlite:///{log.parent}/demo.sqlite3"
    with (
        log.open("w") as stream,
        serving("--demo", "--database-url", url, environment=environment, log=stream) as server,
    ):
        yield server
    expect_no_traceback(logged(log))


def logged(log: Path) -> str:
    return log.read_text("utf-8")


async def test_half_open_connections_dont_block_other_addresses(server: Serving, log: Path) -> None:
    async with AsyncExitStack() as stack:
        held = [
            await stack.enter_async_context(connected(server.url, address=OWN_ADDRESS)) for _ in range(PER_ADDRESS + 5)
        ]
        for each in held[:PER_ADDRESS]:
            await each.send(HALF_A_HEAD)

        assert (await held[-1].response()).status == 503
        assert (await ask(server.url, get("/livez"), address=OTHER_ADDRESS)).status == 200
        await asyncio.gather(*(each.ended() for each in held))

    assert (await ask(server.url, get("/livez"), address=OWN_ADDRESS)).status == 200
    # Others may be "idle", if the server hadn't read the half of the head in time.
    reasons = "connections_of_address", "headers"
    ended = [await metric(server.url, f'mainsheet_http_refused_total{{reason="{why}"}}') for why in reasons]
    assert ended[0] >= 5
    assert ended[1] > 0
    assert logged(log).count("reason=connections_of_address") == 1


async def test_the_total_number_of_connections_is_limited(server: Serving) -> None:
    async with AsyncExitStack() as stack:
        for address in ("127.0.0.3", "127.0.0.4"):
            for _ in range(PER_ADDRESS):
                each = await stack.enter_async_context(connected(server.url, address=address))
                await each.send(HALF_A_HEAD)

        assert (await ask(server.url, get("/livez"), address="127.0.0.5")).status == 503


async def test_a_silent_connection_is_closed(server: Serving) -> None:
    async with connected(server.url) as connection:
        assert await connection.ended() == b""


async def test_a_slow_header_is_cut_off(server: Serving) -> None:
    async with connected(server.url) as connection:
        await connection.send(HALF_A_HEAD)
        ended = asyncio.create_task(connection.ended())
        while not ended.done():
            connection.writer.write(b"y")
            await asyncio.wait([ended], timeout=0.05)

        assert ended.result() == b""


async def test_a_slow_second_header_is_cut_off(server: Serving) -> None:
    async with connected(server.url) as connection:
        await connection.send(get("/livez"))
        assert (await connection.response()).status == 200
        await connection.send(HALF_A_HEAD)

        assert await connection.ended() == b""


async def test_an_idle_connection_is_closed(server: Serving) -> None:
    async with connected(server.url) as connection:
        await connection.send(get("/livez"))
        assert (await connection.response()).status == 200

        assert await connection.ended() == b""


async def test_a_client_that_doesnt_read_is_cut_off(server: Serving) -> None:
    token = next(iter(server.tokens.values()))
    async with connected(server.url, receives=4_096) as connection, asyncio.timeout(PATIENCE):
        await connection.send(post(LARGE, token))
        while not await metric(server.url, 'mainsheet_http_refused_total{reason="answer"}'):
            pass  # each request lets the server run

        assert not (await connection.ended()).endswith(b"}")


async def test_half_open_connections_stay_under_the_files_limit(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    url = f"sqlite:///{tmp_path}/demo.sqlite3"
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # the server inherits it
    with serving("--demo", "--database-url", url) as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        async with AsyncExitStack() as stack:
            for number in range(260):
                held = await stack.enter_async_context(connected(server.url, address=f"127.0.0.{3 + number // 130}"))
                await held.send(HALF_A_HEAD)

            assert (await ask(server.url, get("/readyz"))).status == 200
