"""Subscribers that don't read as fast as events occur."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from mainsheet.models.instrumentation import Instrumentation, OperationRecord
from mainsheet.server.live import group
from mainsheet.server.live.group import Subscriber, TooSlow
from mainsheet.server.live.messages import Close
from mainsheet.server.live.websocket import SUBPROTOCOL
from mainsheet.server.paths import GRAPHQL_PATH
from testbed.ask import Ask
from testbed.world import World
from tests.live.conftest import PATIENCE, Live, Socket
from tests.live.test_subscriptions import end, rename

CHANGES = 60
LONG = " ".join(f"a{number}: job {{ description }}" for number in range(100))
EVENTS = f"subscription ($after: String) {{ events(after: $after) {{ job {{ name }} {LONG} }} }}"
DESCRIBE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"


class Transport:
    """Takes results only while `is_free`."""

    def __init__(self) -> None:
        self.is_free = False
        self.sent: list[bytes] = []

    def send_now(self, result: bytes) -> bool:
        if self.is_free:
            self.sent.append(result)
        return self.is_free


class Slow:
    """A subscriber, and how often it had to begin to send."""

    def __init__(self, transport: Transport) -> None:
        self.subscriber = Subscriber(transport.send_now, self._begin)
        self.begun = 0

    def _begin(self) -> None:
        self.begun += 1

    async def read(self) -> list[bytes]:
        return [each async for each in self.subscriber.waiting()]


async def test_results_wait_behind_one_that_could_not_be_sent() -> None:
    transport = Transport()
    slow = Slow(transport)
    slow.subscriber.deliver(b"1")
    transport.is_free = True
    slow.subscriber.deliver(b"2")

    assert (await slow.read(), slow.begun) == ([b"1", b"2"], 1)
    assert transport.sent == []


async def test_results_are_sent_at_once_when_none_waits_any_more() -> None:
    transport = Transport()
    slow = Slow(transport)
    slow.subscriber.deliver(b"1")
    assert await slow.read() == [b"1"]
    transport.is_free = True
    slow.subscriber.deliver(b"2")
    slow.subscriber.deliver(TooSlow())

    assert (transport.sent, slow.begun) == ([b"2"], 2)
    with pytest.raises(TooSlow):
        await slow.read()


async def test_a_result_that_is_being_sent_is_not_overtaken() -> None:
    transport = Transport()
    subscriber = Subscriber(transport.send_now, lambda: None)
    subscriber.deliver(b"1")
    async with aclosing(subscriber.waiting()) as waiting:
        assert await anext(waiting) == b"1"
        transport.is_free = True
        subscriber.deliver(b"2")

        assert await anext(waiting) == b"2"
    assert transport.sent == []


async def test_a_subscriber_with_too_many_results_waiting_is_ended() -> None:
    subscriber = Subscriber(group.send_later, lambda: None)
    kept = [subscriber.deliver(b"%d" % number) for number in range(group.MOST_WAITING + 1)]
    results = subscriber.waiting()

    assert kept == [True] * group.MOST_WAITING + [False]
    for number in range(group.MOST_WAITING):
        assert await anext(results) == b"%d" % number
    with pytest.raises(TooSlow):
        await anext(results)


async def test_a_subscriber_with_too_many_bytes_waiting_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "MOST_WAITING_BYTES", 10)
    subscriber = Subscriber(group.send_later, lambda: None)

    assert [subscriber.deliver(b"large results") for _ in range(2)] == [True, True]
    assert [each async for each in subscriber.waiting()] == [b"large results"] * 2
    assert [subscriber.deliver(b"small") for _ in range(3)] == [True, True, False]


class Executed(Instrumentation):
    """Sets `all` when a subscription has executed its operation for all changes."""

    def __init__(self, left: int = CHANGES) -> None:
        self.left = left
        self.all = asyncio.Event()

    def operated(self, record: OperationRecord) -> None:
        self.left -= record.is_streamed
        if not self.left:
            self.all.set()


def _small_buffer(address: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return made


@asynccontextmanager
async def _slow_socket(live: Live, world: World) -> AsyncIterator[Socket]:
    """Open a connection whose client has next to no room for what it hasn't read."""
    connector = TCPConnector(socket_factory=_small_buffer)
    url = f"{live.http._base_url}".rstrip("/") + GRAPHQL_PATH  # noqa: SLF001 a session doesn't say where it goes
    async with (
        ClientSession(connector=connector) as http,
        http.ws_connect(url, protocols=[SUBPROTOCOL], max_msg_size=0) as raw,
    ):
        slow = Socket(raw)
        await slow.begin(await live.secret(world.viewer))
        yield slow


async def _change(ask: Ask, world: World, job_id: str) -> str:
    """Make changes whose results are larger than all buffers on the way to a client. Return where they begin."""
    await ask(world.contributor, DESCRIBE, input={"jobId": job_id, "description": "x" * 1000})
    after = await end(ask, world)
    for number in range(CHANGES):
        await rename(ask, world, job_id, f"name {number}")
    return after


async def test_a_slow_reader_gets_all_results(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await _change(ask, world, job_id)
    executed = Executed()
    live.database.instrumentation.add(executed)
    async with _slow_socket(live, world) as slow:
        await slow.subscribe("1", EVENTS, after=after)
        await executed.all.wait()
        messages: list[dict[str, Any]] = [await slow.receive() for _ in range(CHANGES)]
        await rename(ask, world, job_id, "last")
        last = await slow.receive()

    assert {each["type"] for each in messages} == {"next"}
    assert last["payload"]["data"]["events"]["job"] == {"name": "last"}


def sending() -> int:
    return sum(each.get_name() == "websocket operation" for each in asyncio.all_tasks())


async def test_the_end_of_one_subscription_leaves_another_that_waits(
    live: Live, ask: Ask, world: World, job_id: str
) -> None:
    after = await _change(ask, world, job_id)
    executed = Executed(2 * CHANGES)
    live.database.instrumentation.add(executed)
    async with _slow_socket(live, world) as slow:
        for id_ in ("1", "2"):
            await slow.subscribe(id_, EVENTS, after=after)
        await executed.all.wait()
        assert sending() == len("12")
        await slow.send(type="complete", id="1")
        async with asyncio.timeout(PATIENCE):
            while sending() > 1:  # noqa: ASYNC110 nothing is set when a task ends
                await asyncio.sleep(0)
        received = 0
        while received < CHANGES:
            received += (await slow.receive())["id"] == "2"
        await slow.subscribe("3", "{ __typename }")

        assert [(await slow.receive())["type"] for _ in range(2)] == ["next", "complete"]


async def test_a_connection_that_is_too_slow_is_closed(
    live: Live, ask: Ask, world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    class Noted(TooSlow):
        def __init__(self) -> None:
            super().__init__()
            ended.set()

    monkeypatch.setattr(group, "MOST_WAITING", 3)
    monkeypatch.setattr(group, "TooSlow", Noted)
    after = await _change(ask, world, job_id)
    async with _slow_socket(live, world) as slow:
        await slow.subscribe("1", EVENTS, after=after)
        await ended.wait()

        assert await slow.code() == Close.TRY_AGAIN
