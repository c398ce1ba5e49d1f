"""Requests that arrive together: an iteration of the event loop begins one of each caller."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from mainsheet.server.operations import turns as module
from mainsheet.server.operations.turns import ABANDONED_PER_MINUTE, RequestTurns
from tests.abuse.wire import PATIENCE, Connection, connected, post
from tests.server.conftest import Serve

A, B = ("OR1", "MB1"), ("OR1", "MB2")
MANY = 30
BODY = b'{"query": "{"}'


class Iterations:
    """Counts the iterations of the event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._begin_next()

    def _begin_next(self) -> None:
        self.count += 1
        asyncio.get_running_loop().call_soon(self._begin_next)


@dataclass
class Client:
    """A connection that waits for a turn. It records what `RequestTurns` calls, and in which iteration it begins."""

    iterations: Iterations | None = None
    is_open: bool = True
    leaves: bool = False  # known when the connection is read again
    asked: list[str] = field(default_factory=list)
    iteration: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")
        self.is_open = not self.leaves

    def begin(self) -> None:
        if self.is_open:
            self.asked.append("begin")
            self.iteration.set_result(self.iterations.count if self.iterations else 0)

    def refuse(self) -> None:
        self.asked.append("refuse")

    @property
    def has_begun(self) -> bool:
        return self.iteration.done()


async def begun(*callers: tuple[str, str], left: int | None = None) -> list[set[int]]:
    """Return the numbers of the requests that begin in each iteration of the loop. All arrive in the first one."""
    turns, iterations = RequestTurns(), Iterations()
    clients = [Client(iterations) for _ in callers]
    for caller, client in zip(callers, clients, strict=True):
        if turns.begins_now(caller, client):
            client.begin()
    if left is not None:
        clients[left].is_open = False
    numbers = defaultdict[int, set[int]](set)
    for number, client in enumerate(clients):
        if number != left:
            numbers[await all_begin([client])].add(number)
    return [numbers[each] for each in sorted(numbers)]


async def all_begin(clients: Sequence[Client]) -> int:
    """Wait until all of these have begun. Returns the last one's iteration."""
    async with asyncio.timeout(PATIENCE):
        return (await asyncio.gather(*[each.iteration for each in clients]))[-1]


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
    return Time()


@pytest.fixture
def turns(time: Time) -> RequestTurns:
    return RequestTurns(time)


def end(turns: RequestTurns, times: int, *, is_answered: bool) -> None:
    for _ in range(times):
        turns.ended(A, is_answered=is_answered)


async def test_a_caller_whose_clients_leave_begins_slowly(turns: RequestTurns) -> None:
    end(turns, ABANDONED_PER_MINUTE + 1, is_answered=False)
    first, second = clients = [Client(), Client()]
    assert not any(turns.begins_now(A, each) for each in clients)

    await all_begin([first])

    assert [each.asked for each in clients] == [["pause", "resume", "begin"], ["pause"]]
    assert not second.has_begun
    assert turns.begins_now(B, Client())


async def test_a_request_whose_client_left_doesnt_begin(turns: RequestTurns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.001)
    end(turns, ABANDONED_PER_MINUTE + 1, is_answered=False)
    left, last = Client(leaves=True), Client()
    assert not any(turns.begins_now(A, each) for each in (left, last))

    await all_begin([last])

    assert left.asked == ["pause", "resume"]


async def test_if_too_many_wait_others_are_refused(turns: RequestTurns) -> None:
    end(turns, ABANDONED_PER_MINUTE + 1, is_answered=False)
    *clients, last = [Client() for _ in range(module.MOST_SLOW + 1)]

    assert not any(turns.begins_now(A, each) for each in (*clients, last))

    assert all(each.asked == ["pause"] for each in clients)
    assert last.asked == ["refuse"]


async def test_the_next_requests_begin_after_a_pause(turns: RequestTurns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.001)
    end(turns, ABANDONED_PER_MINUTE + 1, is_answered=False)
    clients = [Client() for _ in range(3)]
    assert not any(turns.begins_now(A, each) for each in clients)

    await all_begin(clients)


async def test_a_caller_may_leave_a_few_requests(turns: RequestTurns) -> None:
    end(turns, ABANDONED_PER_MINUTE, is_answered=False)

    assert turns.begins_now(A, Client())


async def test_answered_requests_make_up_for_others(turns: RequestTurns) -> None:
    for _ in range(ABANDONED_PER_MINUTE):
        end(turns, 2, is_answered=False)
        end(turns, 2, is_answered=True)

    assert turns.begins_now(A, Client())


async def test_requests_begin_slowly_for_a_minute_at_most(turns: RequestTurns, time: Time) -> None:
    end(turns, 1000 * ABANDONED_PER_MINUTE, is_answered=False)
    time.now += 61

    assert turns.begins_now(A, Client())


async def test_those_that_wait_begin_as_usual_after_that(turns: RequestTurns, time: Time) -> None:
    end(turns, ABANDONED_PER_MINUTE + 1, is_answered=False)
    clients = [Client() for _ in range(4)]
    assert not any(turns.begins_now(A, each) for each in clients)
    time.now += 60

    await all_begin(clients)


async def test_a_request_that_was_parsed_waits_for_its_turn(turns: RequestTurns) -> None:
    order: list[int] = []

    async def wait(number: int) -> None:
        await turns.wait(A)
        order.append(number)

    first, second, third = [asyncio.create_task(wait(number)) for number in range(3)]
    await first
    assert order == [0]
    second.cancel()
    await third

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
