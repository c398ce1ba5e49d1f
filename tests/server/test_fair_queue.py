import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from weakref import WeakSet

from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.server.operations.fair_queue import Capacity, FairQueue
from testbed.clock import Clock

LARGE = 10_000


def caller(name: str) -> Caller:
    """Return the caller of a name such as `A1`: number 1 of organization A."""
    return Caller(f"MB{name}", f"OR{name[0]}", OrganizationRole.MEMBER)


def capacity(total: int, *, organization: int = 100, caller: int = 100, queue: int = 100) -> Capacity:
    return Capacity(total, organization, caller, 2 * queue, queue)


class Name(str):
    """An id of which a test can see that nothing keeps it."""

    __slots__ = ("__weakref__",)


async def settled() -> None:
    """Run all tasks until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


class Operations:
    """Operations that enter a queue and end on request."""

    def __init__(self, limits: Capacity, clock: Callable[[], float] = time.monotonic) -> None:
        self.queue = FairQueue(limits, clock)
        self.started: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def enter(self, *names: str, cost: int = 0) -> None:
        for name in names:
            self.tasks.append(asyncio.create_task(self._run(name, cost)))
            await settled()

    async def _run(self, name: str, cost: int) -> None:
        await self.queue.enter(caller(name), cost)
        self.started.append(f"{name}, {cost}" if cost else name)

    async def end(self, names: Sequence[str]) -> None:
        for name in names:
            self.queue.leave(caller(name))
            await settled()


async def test_operations_run_concurrently_up_to_the_capacity() -> None:
    operations = Operations(capacity(2))

    await operations.enter("A1", "B1", "C1")

    assert operations.started == ["A1", "B1"]
    assert not operations.queue.may_start(caller("D1"))


async def test_a_callers_operations_are_first_in_first_out() -> None:
    operations = Operations(capacity(1))
    await operations.enter("A1", "A1", "A1")

    first, second, third = operations.tasks
    await operations.end(["A1"])

    assert [each.done() for each in (first, second, third)] == [True, True, False]


async def test_a_callers_small_operations_start_before_its_large_ones() -> None:
    operations = Operations(capacity(1))
    await operations.enter("B1")
    for cost in (LARGE, 1, LARGE, 1):
        await operations.enter("A1", cost=cost)

    await operations.end(["B1", "A1", "A1", "A1"])

    assert operations.started == ["B1", "A1, 1", "A1, 1", f"A1, {LARGE}", f"A1, {LARGE}"]


async def test_a_large_operation_is_overtaken_for_a_tenth_of_a_second_at_most(clock: Clock) -> None:
    operations = Operations(capacity(1), clock)
    await operations.enter("B1")
    await operations.enter("A1", cost=1000 * LARGE)
    for _ in range(3):
        clock.now += 0.04
        await operations.enter("A1", cost=1)

    await operations.end(["B1", "A1", "A1", "A1"])

    assert operations.started[1:] == ["A1, 1", "A1, 1", f"A1, {1000 * LARGE}", "A1, 1"]


async def test_small_operations_of_a_caller_dont_overtake_those_of_others() -> None:
    operations = Operations(capacity(1))
    await operations.enter("A1")
    await operations.enter("A2", cost=LARGE)
    await operations.enter("B1", cost=LARGE)
    await operations.enter("A1", cost=1)

    await operations.end(["A1", "A2", "B1"])

    assert operations.started == ["A1", f"A2, {LARGE}", f"B1, {LARGE}", "A1, 1"]


async def test_organizations_take_turns() -> None:
    operations = Operations(capacity(1))
    await operations.enter("A1", "A1", "A1", "A2", "B1", "B1")

    await operations.end(["A1", "A1", "B1", "A2", "B1"])

    assert operations.started == ["A1", "A1", "B1", "A2", "B1", "A1"]


async def test_an_organization_leaves_room_for_others() -> None:
    operations = Operations(capacity(4, organization=3))

    await operations.enter("A1", "A2", "A3", "A4", "B1")

    assert operations.started == ["A1", "A2", "A3", "B1"]


async def test_a_caller_at_its_limit_is_skipped() -> None:
    operations = Operations(capacity(2, caller=1))
    await operations.enter("A1", "B1", "A1", "A2")

    await operations.end(["B1"])

    assert operations.started == ["A1", "B1", "A2"]


async def test_the_queue_of_a_caller_and_of_an_organization_is_bounded() -> None:
    operations = Operations(capacity(1, queue=2))
    await operations.enter("A1", "A1", "A1")

    assert [operations.queue.is_full(caller(name)) for name in ("A1", "A2", "B1")] == [True, False, False]

    await operations.enter("A2", "A2")

    assert [operations.queue.is_full(caller(name)) for name in ("A3", "B1")] == [True, False]


async def test_operations_that_arent_limited_dont_fill_the_queue() -> None:
    queue = FairQueue(capacity(1, queue=1))
    waiting = [asyncio.create_task(queue.enter(caller("A1"), is_limited=False)) for _ in range(3)]
    await settled()

    assert not queue.is_full(caller("A1"))
    assert queue.load.slots.waiting == 0

    waiting.append(asyncio.create_task(queue.enter(caller("A1"))))
    await settled()
    assert queue.is_full(caller("A1"))
    for _ in waiting:
        queue.leave(caller("A1"))
        await settled()
    assert all(each.done() for each in waiting)
    assert not queue.is_full(caller("A1"))


async def test_a_cancelled_operation_leaves_the_queue() -> None:
    operations = Operations(capacity(1))
    await operations.enter("A1", "A2", "B1")

    operations.tasks[1].cancel()
    await operations.end(["A1"])

    assert operations.started == ["A1", "B1"]


async def test_an_operation_cancelled_at_its_start_frees_its_slot() -> None:
    operations = Operations(capacity(1))
    await operations.enter("A1", "A2", "B1")

    operations.queue.leave(caller("A1"))  # A2's turn comes, but it hasn't noticed yet
    operations.tasks[1].cancel()
    await settled()

    assert operations.started == ["A1", "B1"]


async def test_a_waiter_cancelled_at_its_turn_is_skipped() -> None:
    operations = Operations(capacity(1))
    await operations.enter("A1", "A2", "B1")

    operations.tasks[1].cancel()  # A2 hasn't noticed yet
    operations.queue.leave(caller("A1"))
    await settled()

    assert operations.started == ["A1", "B1"]


async def test_idle_callers_use_no_memory() -> None:
    names = {each: Name(each) for each in ("MBA1", "ORA", "MBB1", "ORB")}
    kept = WeakSet(names.values())
    first = Caller(names["MBA1"], names["ORA"], OrganizationRole.MEMBER)
    second = Caller(names["MBB1"], names["ORB"], OrganizationRole.MEMBER)
    queue = FairQueue(capacity(1))
    await queue.enter(first)
    waiting = asyncio.create_task(queue.enter(second))
    await settled()

    queue.leave(first)
    await waiting
    queue.leave(second)
    del names, first, second, waiting
    gc.collect()

    assert not kept


def test_one_organization_never_takes_all_slots() -> None:
    limits = [
        Capacity.of(total, caller=5, queue=10, organization_factor=3, organization_share=0.75)
        for total in (1, 2, 3, 4, 10)
    ]

    assert [each.organization for each in limits] == [1, 1, 2, 3, 7]
    assert limits[0].organization_queue == 30
