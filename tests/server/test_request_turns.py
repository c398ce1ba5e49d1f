"""Requests that arrive together: an iteration of the event loop begins one of each caller."""

import asyncio
from contextlib import AsyncExitStack

from mainsheet.server.operations.turns import RequestTurns
from tests.abuse.wire import Connection, connected, post
from tests.server.conftest import Serve

A, B = ("OR1", "MB1"), ("OR1", "MB2")
MANY = 30
BODY = b'{"query": "{"}'


async def begun(*callers: tuple[str, str], cancelled: int | None = None) -> list[set[int]]:
    """Return the numbers of the requests that begin in each iteration of the loop. All arrive in the first one."""
    turns, iterations = RequestTurns(), [set[int]()]

    async def begin(number: int) -> None:
        await turns.wait(callers[number])
        iterations[-1].add(number)

    tasks = [asyncio.create_task(begin(number)) for number in range(len(callers))]
    for _ in range(2 * len(callers) + 2):
        await asyncio.sleep(0)
        if cancelled is not None:
            tasks[cancelled].cancel()
        iterations.append(set())
    return [each for each in iterations if each]


async def test_an_iteration_begins_one_request_of_a_caller() -> None:
    assert await begun(A, A, A) == [{0}, {1}, {2}]


async def test_another_caller_doesnt_wait() -> None:
    assert await begun(A, A, A, B, B) == [{0, 3}, {1, 4}, {2}]


async def test_a_cancelled_request_takes_no_turn() -> None:
    assert await begun(A, A, A, cancelled=1) == [{0}, {2}]


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
