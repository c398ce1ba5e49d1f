import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from mainsheet.executor import WorkerThread


@pytest.fixture
def worker() -> Iterator[WorkerThread]:
    worker = WorkerThread()
    yield worker
    worker.close()


class Held:
    """Work that begins and waits until it is released."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun = asyncio.Event()
        self.may_end = threading.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> int:
        self.runs += 1
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.may_end.wait(30)
        return self.runs


async def test_callers_with_the_same_key_share_a_run(worker: WorkerThread) -> None:
    work = Held()
    running = [asyncio.create_task(worker.run("key", work)) for _ in range(3)]
    await work.begun.wait()

    work.may_end.set()

    assert await asyncio.gather(*running) == [1, 1, 1]


async def test_a_later_caller_gets_a_run_of_its_own(worker: WorkerThread) -> None:
    work = Held()
    work.may_end.set()

    assert [await worker.run("key", work) for _ in range(2)] == [1, 2]


async def test_callers_in_other_event_loops_have_runs_of_their_own(worker: WorkerThread) -> None:
    work = Held()
    first = asyncio.create_task(worker.run("key", work))
    await work.begun.wait()

    async def called() -> int:
        running = asyncio.create_task(worker.run("key", lambda: 10))
        asyncio.get_running_loop().call_soon(work.may_end.set)
        return await running

    second = asyncio.to_thread(lambda: asyncio.run(called()))

    assert [*await asyncio.gather(first, second)] == [1, 10]


async def test_an_exception_is_raised_for_every_caller(worker: WorkerThread) -> None:
    def fail() -> None:
        raise ValueError("it fails")

    results = await asyncio.gather(*(worker.run("key", fail) for _ in range(2)), return_exceptions=True)

    assert [str(each) for each in results] == ["it fails"] * 2


async def test_a_cancelled_caller_doesnt_cancel_the_others(worker: WorkerThread) -> None:
    work = Held()
    leaving, staying = (asyncio.create_task(worker.run("key", work)) for _ in range(2))
    await work.begun.wait()

    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    work.may_end.set()

    assert await staying == 1


def noting(order: list[str], name: str) -> Callable[[], int]:
    """Return work that notes its name."""

    def work() -> int:
        order.append(name)
        return len(order)

    return work


async def test_groups_take_turns_and_in_each_its_members(worker: WorkerThread) -> None:
    first = Held()
    order: list[str] = []
    waiting = [asyncio.create_task(worker.run("first", first))]
    await first.begun.wait()
    for group, member in ("Aa", "Aa", "Aa", "Ab", "Ab", "Bc"):
        waiting.append(asyncio.create_task(worker.run(object(), noting(order, member), (group, member))))
    asyncio.get_running_loop().call_soon(first.may_end.set)  # when these tasks have asked for their turns

    await asyncio.gather(*waiting)

    assert order == ["a", "c", "b", "a", "b", "a"]


async def test_shared_work_runs_at_the_first_turn_of_its_callers(worker: WorkerThread) -> None:
    first = Held()
    order: list[str] = []
    waiting = [asyncio.create_task(worker.run("first", first))]
    await first.begun.wait()
    for name, group in (("1", "a"), ("2", "a"), ("3", "a"), ("3", "b")):
        waiting.append(asyncio.create_task(worker.run(name, noting(order, name), (group,))))
    asyncio.get_running_loop().call_soon(first.may_end.set)  # when these tasks have asked for their turns

    await asyncio.gather(*waiting)

    assert order == ["1", "3", "2"]


async def test_work_without_callers_is_dropped(worker: WorkerThread) -> None:
    first, dropped, last = Held(), Held(), Held()
    running = asyncio.create_task(worker.run("first", first))
    await first.begun.wait()
    leaving = asyncio.create_task(worker.run("dropped", dropped))
    await asyncio.sleep(0)

    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    for each in (first, last):
        each.may_end.set()

    assert await worker.run("last", last) == 1
    assert await running == 1
    assert dropped.runs == 0
