"""Requests that arrive together: an iteration of the event loop begins one of each caller."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from mainsheet.server.operations import turns as module
from mainsheet.server.operations.turns import LEFT_PER_MINUTE, RequestTurns
from tests.abuse.wire import Connection, connected, post
from tests.server.conftest import Serve

A, B = ("OR1", "MB1"), ("OR1", "MB2")
MANY = 30
BODY = b'{"query": "{"}'


@dataclass
class Client:
    """A connection with a request that waits, and what is asked of it."""

    is_open: bool = True
    leaves: bool = False  # which is seen when the connection is looked at
    asked: list[str] = field(default_factory=list)

    def pause(self) -> None:
        self.asked.append("pause")

    def look(self) -> None:
        """Learn whether the client has left, a moment later: the loop reads from connections after some callbacks."""
        self.asked.append("look")
        loop = asyncio.get_running_loop()
        loop.call_soon(setattr, self, "is_open", not self.leaves)

    def begin(self) -> None:
        self.asked.append("begin")

    def refuse(self) -> None:
        self.asked.append("refuse")

    @property
    def has_begun(self) -> bool:
        return "begin" in self.asked


async def begun(*callers: tuple[str, str], left: int | None = None) -> list[set[int]]:
    """Return the numbers of the requests that begin in each iteration of the loop. All arrive in the first one."""
    turns, clients = RequestTurns(), [Client() for _ in callers]
    for caller, client in zip(callers, clients, strict=True):
        if turns.may_begin(caller, client):
            client.begin()
    if left is not None:
        clients[left].is_open = False
    iterations, before = [], set[int]()
    for _ in range(2 * len(callers) + 2):
        now = {number for number, client in enumerate(clients) if client.has_begun}
        iterations.append(now - before)
        before = now
        await asyncio.sleep(0)
    return [each for each in iterations if each]


async def test_an_iteration_begins_one_request_of_a_caller() -> None:
    assert await begun(A, A, A) == [{0}, {1}, {2}]


async def test_another_caller_doesnt_wait() -> None:
    assert await begun(A, A, A, B, B) == [{0, 3}, {1, 4}, {2}]


async def test_a_request_whose_client_left_takes_no_turn() -> None:
    assert await begun(A, A, A, left=1) == [{0}, {2}]


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    monkeypatch.setattr(module, "SLOW_SECONDS", 3600)
    monkeypatch.setattr(module, "LEFT_SECONDS", 0)
    return Time()


@pytest.fixture
def turns(time: Time) -> RequestTurns:
    return RequestTurns(time)


def end(turns: RequestTurns, times: int, *, is_answered: bool) -> None:
    for _ in range(times):
        turns.ended(A, is_answered=is_answered)


async def began_slowly(turns: RequestTurns, clients: Sequence[Client]) -> list[bool]:
    """Return which of these requests have begun after as many iterations of the loop as they could need."""
    assert not any(turns.may_begin(A, each) for each in clients)
    for _ in range(8 * len(clients)):
        await asyncio.sleep(0)
    return [each.has_begun for each in clients]


async def test_a_caller_whose_clients_leave_begins_slowly(turns: RequestTurns) -> None:
    end(turns, LEFT_PER_MINUTE + 1, is_answered=False)
    clients = [Client(), Client()]

    assert await began_slowly(turns, clients) == [True, False]
    assert [each.asked for each in clients] == [["pause", "look", "begin"], ["pause"]]
    assert turns.may_begin(B, Client())


async def test_requests_whose_clients_left_are_passed_over_without_that_pause(turns: RequestTurns) -> None:
    end(turns, LEFT_PER_MINUTE + 1, is_answered=False)

    left = [Client(leaves=True) for _ in range(MANY)]

    assert await began_slowly(turns, [*left, Client(), Client()]) == [False] * MANY + [True, False]


async def test_if_too_many_wait_others_are_refused(turns: RequestTurns) -> None:
    end(turns, LEFT_PER_MINUTE + 1, is_answered=False)
    *clients, last = [Client() for _ in range(module.MOST_SLOW + 1)]

    assert not any(turns.may_begin(A, each) for each in (*clients, last))

    assert all(each.asked == ["pause"] for each in clients)
    assert last.asked == ["refuse"]


async def test_the_next_requests_begin_after_a_pause(turns: RequestTurns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.001)
    end(turns, LEFT_PER_MINUTE + 1, is_answered=False)
    every_one = asyncio.Event()
    clients = [Client() for _ in range(3)]
    monkeypatch.setattr(clients[-1], "begin", every_one.set)

    assert not any(turns.may_begin(A, each) for each in clients)
    async with asyncio.timeout(10):
        await every_one.wait()

    assert all(each.has_begun for each in clients[:-1])


async def test_a_caller_may_leave_a_few_requests(turns: RequestTurns) -> None:
    end(turns, LEFT_PER_MINUTE, is_answered=False)

    assert turns.may_begin(A, Client())


async def test_answered_requests_make_up_for_others(turns: RequestTurns) -> None:
    for _ in range(LEFT_PER_MINUTE):
        end(turns, 2, is_answered=False)
        end(turns, 2, is_answered=True)

    assert turns.may_begin(A, Client())


async def test_requests_begin_slowly_for_a_minute_at_most(turns: RequestTurns, time: Time) -> None:
    end(turns, 1000 * LEFT_PER_MINUTE, is_answered=False)
    time.now += 61

    assert turns.may_begin(A, Client())


async def test_those_that_wait_begin_as_usual_after_that(turns: RequestTurns, time: Time) -> None:
    end(turns, LEFT_PER_MINUTE + 1, is_answered=False)
    clients = [Client() for _ in range(4)]
    assert not any(turns.may_begin(A, each) for each in clients)
    time.now += 60
    for _ in range(3 * len(clients)):
        await asyncio.sleep(0)

    assert all(each.has_begun for each in clients)
    assert turns.may_begin(A, Client())


async def test_a_request_that_was_read_waits_for_its_turn(turns: RequestTurns) -> None:
    order: list[int] = []

    async def wait(number: int) -> None:
        await turns.wait(A)
        order.append(number)

    first, second, third = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert order == [0]
    second.cancel()
    await asyncio.gather(first, third)

    assert order == [0, 2]
    assert second.cancelled()


async def test_many_requests_of_one_caller_dont_delay_another(serve: Serve) -> None:
    server = await serve()
    assert (await server.post()).status == 200  # the token is known from now on
    answered: list[int] = []

    async def answer(connection: Connection) -> None:
        answered.append((await connection.response()).status)

    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(str(server.url))) for _ in range(MANY)]
        for each in connections[:-1]:
            each.writer.write(post(BODY, server.token))
        connections[-1].writer.write(post(BODY))
        await asyncio.gather(*map(answer, connections))

    assert answered.count(401) == 1
    assert answered.index(401) < MANY // 2
