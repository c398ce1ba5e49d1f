"""Operations are refused by their expected wait. The tests move the clock."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mainsheet.server.errors import Overloaded
from mainsheet.server.operations.admission import MOST_ORGANIZATIONS, RETRIES, Admission, overloaded
from mainsheet.server.operations.debtors import Debtors
from mainsheet.server.operations.fair_queue import Capacity, FairQueue
from mainsheet.server.operations.gate import Gate
from tests.server.test_fair_queue import caller, settled

SLOTS, SECONDS = 2, 1.0
MANY = 100_000


def capacity(total: int = SLOTS, *, organization: int = MANY, caller: int = MANY) -> Capacity:
    return Capacity(total, organization, caller, MANY, MANY)


@dataclass
class Server:
    """Operations that wait or run. The oldest one that runs ends after `seconds_each`."""

    limits: Capacity = field(default_factory=capacity)
    now: float = 0
    running: list[str] = field(default_factory=list)
    tasks: dict[asyncio.Task[None], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queue = FairQueue(self.limits, lambda: self.now)
        self.admission = Admission(self.queue, SECONDS)

    async def enter(self, name: str = "A1", count: int = 1) -> int:
        """Return how many were admitted."""
        return sum([await self._enter(name) for _ in range(count)])

    async def _enter(self, name: str) -> bool:
        try:
            self.admission.check(caller(name))
        except Overloaded:
            return False
        self.tasks[asyncio.create_task(self._run(name))] = name
        await asyncio.sleep(0)
        return True

    async def _run(self, name: str) -> None:
        await self.queue.enter(caller(name))
        self.running.append(name)

    async def serve(self, count: int, seconds_each: float, name: str | None = None) -> None:
        for _ in range(count):
            self.now += seconds_each
            ended = name or self.running[0]
            self.running.remove(ended)
            self.queue.leave(caller(ended))
            await settled()

    def admitted(self, name: str) -> int:
        """Return how many of a caller's operations wait or run."""
        waiting = [each for task, each in self.tasks.items() if not task.done()]
        return [*waiting, *self.running].count(name)

    async def leave(self, count: int) -> None:
        """Let clients leave whose operations wait."""
        for each in [each for each in self.tasks if not each.done()][:count]:
            each.cancel()
        await settled()


@pytest.fixture
async def server() -> Server:
    """A server that needs a tenth of a second for an operation, so that ten may wait."""
    server = Server()
    await server.enter(count=20)
    await server.serve(20, seconds_each=0.1)
    return server


async def test_a_burst_is_admitted_before_the_wait_was_measured() -> None:
    assert await Server().enter(count=1000) == 1000


async def test_the_newest_are_refused_when_the_expected_wait_is_too_long(server: Server) -> None:
    assert await server.enter(count=100) == SLOTS + 10

    await server.serve(3, seconds_each=0.1)

    assert await server.enter(count=100) == 3


async def test_a_slower_server_admits_fewer(server: Server) -> None:
    for _ in range(50):
        await server.enter(count=12)
        await server.serve(len(server.running) + 2, seconds_each=0.5)

    await server.serve(len(server.running), seconds_each=0.5)
    assert SLOTS + 2 <= await server.enter(count=100) <= SLOTS + 3


async def test_operations_that_run_at_once_are_never_refused(server: Server) -> None:
    await server.enter(count=SLOTS - 1)
    server.now += 100

    assert await server.enter() == 1


async def test_new_ones_are_refused_when_none_ends(server: Server) -> None:
    await server.enter(count=SLOTS + 1)
    server.now += SECONDS + 0.2

    assert await server.enter() == 0

    await server.serve(1, seconds_each=0)
    assert await server.enter() == 1


async def test_clients_that_leave_the_queue_dont_shorten_the_expected_wait(server: Server) -> None:
    await server.enter(count=12)
    for _ in range(100):
        await server.leave(1)
        assert await server.enter() == 1

    assert await server.enter() == 0


async def test_operations_at_their_callers_limit_refuse_nobody() -> None:
    server = Server(capacity(8, caller=5))
    await server.enter("A1", count=100)
    for _ in range(20):  # bursts of short operations, while the long ones run and wait
        server.now += 1
        assert await server.enter("B1", count=3) == 3
        assert await server.enter("B1", count=7) == 7
        await server.serve(10, seconds_each=0.005, name="B1")


async def test_operations_at_their_organizations_limit_refuse_only_their_own() -> None:
    server = Server(capacity(8, organization=6))
    await server.enter("A1", count=100)
    await server.serve(20, seconds_each=0.1)
    server.now += SECONDS + 0.2

    assert await server.enter("A1") == 0
    assert await server.enter("B1", count=2) == 2


async def test_an_organization_that_is_alone_is_limited_by_its_own_slots() -> None:
    server = Server(capacity(8, organization=SLOTS))
    await server.enter(count=20)
    await server.serve(18, seconds_each=0.1)

    assert await server.enter(count=100) == 10


async def test_another_organization_enters_a_full_server(server: Server) -> None:
    await server.enter("A1", count=100)

    assert await server.enter("B1", count=100) == (SLOTS + 10) / 2


async def test_another_caller_of_the_organization_enters_a_full_server(server: Server) -> None:
    await server.enter("A1", count=100)

    assert await server.enter("A2", count=100) == 2  # all of them wait for a tenth longer

    for _ in range(20):
        await server.serve(1, seconds_each=0.1)
        await server.enter("A2")
        await server.enter("A1")
    assert server.admitted("A2") == (SLOTS + 10) / 2


async def test_many_callers_of_one_organization_dont_make_all_wait_for_much_longer(server: Server) -> None:
    admitted = sum([await server.enter(f"A{number}") for number in range(100)])

    assert SLOTS + 10 <= admitted <= 1.25 * (SLOTS + 10)


async def test_an_organization_cant_enter_by_many_callers(server: Server) -> None:
    await server.enter("A1", count=12)
    await server.enter("B1", count=6)

    assert sum([await server.enter(f"A{number}") for number in range(2, 100)]) == 0


async def test_the_number_of_organizations_is_bounded(server: Server) -> None:
    most = MOST_ORGANIZATIONS * (SLOTS + 10)

    assert sum([await server.enter(chr(1000 + number)) for number in range(10 * most)]) <= most + 1


async def test_no_limit_refuses_nothing() -> None:
    server = Server()
    server.admission = Admission(server.queue, 0)
    await server.enter(count=10)
    server.now += 100

    assert await server.enter() == 1


async def test_a_token_is_known_by_its_earlier_requests() -> None:
    server = Server(capacity(1))
    gate = Gate(server.admission, Debtors(lambda _: None, lambda: server.now))
    gate.remember("Bearer a", caller("A1"))
    await server.enter("A1", count=2)
    server.now += SECONDS + 1

    assert gate.refuses("Bearer a")
    assert not gate.refuses("Bearer b")
    gate.remember("Bearer b", caller("A1"))
    assert gate.refuses("Bearer b")
    with pytest.raises(Overloaded, match="nothing was executed or changed"):
        gate.check("Bearer a")


async def test_a_request_that_is_being_read_counts() -> None:
    server = Server(capacity(1))
    gate = Gate(server.admission, Debtors(lambda _: None, lambda: server.now))
    gate.remember("Bearer a", caller("A1"))
    assert gate.place("Bearer a") is None  # none waits
    await server.enter(count=3)
    await server.serve(1, SECONDS / 2)
    assert not gate.refuses("Bearer a")

    place = gate.place("Bearer a")
    assert place
    assert gate.refuses("Bearer a")
    place.leave()
    place.leave()
    assert not gate.refuses("Bearer a")


async def test_only_requests_of_known_callers_are_counted() -> None:
    server = Server(capacity(1))
    gate = Gate(server.admission, Debtors(lambda _: None, lambda: server.now))
    await server.enter(count=2)
    assert gate.place("Bearer a") is None

    gate.remember("Bearer a", caller("A1"))
    assert gate.place("Bearer a")
    gate.forget("Bearer a")
    assert gate.place("Bearer a") is None


async def test_a_request_that_is_being_read_doesnt_wait_yet() -> None:
    server = Server(Capacity(total=1, organization=1, caller=1, organization_queue=2, caller_queue=2))
    await server.enter(count=2)

    place = server.admission.place(("A", "A1"))

    assert not server.queue.is_full(caller("A1"))
    await server.serve(2, SECONDS)
    assert server.queue.load.organizations
    place.leave()
    assert not server.queue.load.organizations


def test_clients_come_back_at_different_times() -> None:
    assert {overloaded().headers["Retry-After"] for _ in range(200)} == {str(each) for each in RETRIES}
