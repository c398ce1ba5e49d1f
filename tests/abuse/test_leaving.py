"""A member whose clients leave before they are answered, again and again."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mainsheet.server.operations.turns import ABANDONED_PER_MINUTE
from tests.abuse.wire import ask, connected, metric, post
from tests.server.commands import Serving, expect_no_traceback, serving

HELLO = b'{"query": "{ __typename }"}'
MANY = 40
OPERATIONS = "mainsheet_operation_seconds_count"
LEFT = 'mainsheet_rate_limited_total{reason="client_left"}'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def server(log: Path) -> Iterator[Serving]:
    with (
        log.open("w") as stream,
        serving("--demo", "--database-url", f"sqlite:///{log.parent}/demo.sqlite3", log=stream) as server,
    ):
        yield server
    expect_no_traceback(logged(log))


def logged(log: Path) -> str:
    return log.read_text("utf-8")


async def test_requests_whose_clients_have_left_arent_begun(server: Serving, log: Path) -> None:
    leaver, other, *_ = server.tokens.values()
    assert (await ask(server.url, post(HELLO, leaver))).status == 200  # the server knows the token from now on
    for _ in range(ABANDONED_PER_MINUTE + 10):
        async with connected(server.url) as connection:
            await connection.send(post(b"{", leaver, length=100))
    assert (await ask(server.url, post(HELLO, leaver))).status == 200  # at the turn after theirs
    operations, left_before = await metric(server.url, OPERATIONS), await metric(server.url, LEFT)

    async with AsyncExitStack() as stack:
        first, *leaving, last = [await stack.enter_async_context(connected(server.url)) for _ in range(MANY + 2)]
        for each in (first, *leaving, last):
            each.writer.write(post(HELLO, leaver))
        for each in leaving:
            each.writer.close()
        assert (await ask(server.url, post(HELLO, other))).status == 200
        assert (await first.response()).status == 200
        assert (await last.response()).status == 200

    left = await metric(server.url, LEFT) - left_before
    assert MANY / 2 < left <= MANY  # some may begin before the server can know that their clients left
    assert await metric(server.url, OPERATIONS) - operations <= 3 + MANY - left
    assert logged(log).count("reason=client_left") == 1
