"""Who is admitted, by a clock that the tests move."""

import gc
from dataclasses import dataclass, field
from weakref import WeakSet

import pytest

from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import Overloaded
from mainsheet.server.operations.admission import MOST_ORGANIZATIONS, RETRIES, Admission, Gate, Who, overloaded

SLOTS, SECONDS = 2, 1.0
A1, A2, B1 = ("A", "A1"), ("A", "A2"), ("B", "B1")


class Name(str):
    """An id of which a test can see that nothing keeps it."""

    __slots__ = ("__weakref__",)


@dataclass
class Server:
    """Requests that wait or run. Each takes the oldest one's place in `seconds_each`."""

    now: float = 0
    present: list[Who] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admission = Admission(SLOTS, SECONDS, lambda: self.now)

    def enter(self, who: Who = A1, count: int = 1) -> int:
        """Return how many were admitted."""
        admitted = [who] * sum(self.admission.enter(who) for _ in range(count))
        self.present += admitted
        return len(admitted)

    def serve(self, count: int, seconds_each: float) -> None:
        for _ in range(count):
            self.now += seconds_each
            self.admission.leave(self.present.pop(0), is_done=True)


@pytest.fixture
def server() -> Server:
    """A server that needs a tenth of a second for a request, so that ten may wait."""
    server = Server()
    server.enter(count=20)
    server.serve(20, seconds_each=0.1)
    return server


def test_a_burst_is_admitted_before_the_wait_was_measured() -> None:
    assert Server().enter(count=1000) == 1000


def test_the_newest_are_refused_when_the_expected_wait_is_too_long(server: Server) -> None:
    assert server.enter(count=100) == SLOTS + 10

    server.serve(3, seconds_each=0.1)

    assert server.enter(count=100) == 3


def test_a_slower_server_admits_fewer(server: Server) -> None:
    for _ in range(50):
        server.enter(count=12)
        server.serve(len(server.present), seconds_each=0.5)

    assert SLOTS + 2 <= server.enter(count=100) <= SLOTS + 3


def test_requests_that_run_at_once_are_never_refused(server: Server) -> None:
    server.enter(count=SLOTS)
    server.now += 100

    assert server.enter() == 1


def test_new_ones_are_refused_when_none_leaves(server: Server) -> None:
    server.enter(count=SLOTS + 1)
    server.now += SECONDS + 0.2

    assert server.enter() == 0

    server.serve(1, seconds_each=0)
    assert server.enter() == 1


def test_refused_and_failed_requests_dont_shorten_the_expected_wait(server: Server) -> None:
    server.enter(count=12)
    for _ in range(100):
        server.admission.leave(A1, is_done=False)
        assert server.enter() == 1

    assert server.enter() == 0


def test_another_organization_enters_a_full_server(server: Server) -> None:
    server.enter(A1, count=100)

    assert server.enter(B1, count=100) == (SLOTS + 10) / 2


def test_another_caller_of_the_organization_enters_a_full_server(server: Server) -> None:
    server.enter(A1, count=100)

    assert server.enter(A2, count=100) == (SLOTS + 10) / 2


def test_an_organization_cant_enter_by_many_callers(server: Server) -> None:
    server.enter(A1, count=12)
    server.enter(B1, count=6)

    assert sum(server.enter(("A", f"A{number}")) for number in range(2, 100)) == 0


def test_the_number_of_organizations_is_bounded(server: Server) -> None:
    limit = SLOTS + 10

    assert sum(server.enter((f"{number}", "")) for number in range(10 * limit * MOST_ORGANIZATIONS)) <= (
        MOST_ORGANIZATIONS * limit + 1
    )


def test_no_limit_refuses_nothing() -> None:
    admission = Admission(1, 0, lambda: 0)

    assert all(admission.enter(A1) for _ in range(1000))


def test_no_memory_is_kept_for_those_that_left(server: Server) -> None:
    names = [Name("C"), Name("C1"), Name("D"), Name("D1")]
    kept = WeakSet(names)
    before, after = (names[0], names[1]), (names[2], names[3])
    server.enter(before, count=3)
    server.admission.move(before, after)
    server.present = [after, before, before]
    server.serve(3, seconds_each=0.1)
    server.present.clear()
    del names, before, after
    gc.collect()

    assert not kept
    assert server.admission.total == 0


def test_a_token_is_known_by_its_earlier_requests() -> None:
    gate = Gate(Admission(1, 1e-9), Admission(1, 1e-9))
    caller = Caller("A1", "A", OrganizationRole.MEMBER)
    for _ in range(2):
        gate.arrive("Bearer a").identify(caller)

    assert gate.refuses("Bearer a")
    assert not gate.refuses("Bearer b")
    gate.arrive("Bearer b")
    assert gate.refuses("Bearer b")
    assert not gate.refuses("Bearer c")
    with pytest.raises(Overloaded, match="nothing was executed or changed"):
        gate.arrive("Bearer a")


def test_a_mutation_waits_with_the_mutations() -> None:
    gate = Gate(Admission(1, 1e-9), Admission(1, 1e-9))
    caller = Caller("A1", "A", OrganizationRole.MEMBER)
    for _ in range(2):
        visit = gate.arrive("Bearer a")
        visit.identify(caller)
        visit.become_mutation()

    assert (gate.queries.total, gate.mutations.total) == (0, 2)
    third = gate.arrive("Bearer a")
    with pytest.raises(Overloaded):
        third.become_mutation()
    third.end(is_done=False)
    visit.end(is_done=True)
    assert (gate.queries.total, gate.mutations.total) == (0, 1)


def test_clients_come_back_at_different_times() -> None:
    assert {overloaded().headers["Retry-After"] for _ in range(200)} == {str(each) for each in RETRIES}
