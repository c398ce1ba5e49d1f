"""The counts of running and waiting operations, which are kept by changes, equal a count from scratch."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from mainsheet.server.operations.load import Load, Slots

TOTAL, ORGANIZATION, CALLER = 3, 2, 1
CALLERS = ("A1", "A2", "A3", "B1")
# What an event counts, and by how much.
CHANGES = {"wait": ("waiting", 1), "leave the queue": ("waiting", -1), "start": ("running", 1), "end": ("running", -1)}


def waiting_for_organization(running: Counter[str], queued: Counter[str], organization: str) -> int:
    """Return how many of an organization's operations wait, without those of callers that are at their limit."""
    return sum(queued[each] for each in CALLERS if each[0] == organization and running[each] < CALLER)


def running_of(running: Counter[str], organization: str) -> int:
    return sum(count for name, count in running.items() if name[0] == organization)


@given(st.lists(st.tuples(st.sampled_from(list(CHANGES)), st.sampled_from(CALLERS)), max_size=80))
def test_operations_are_counted_for_the_slots_that_they_wait_for(changes: Iterable[tuple[str, str]]) -> None:
    load = Load(TOTAL, ORGANIZATION, CALLER, lambda: 0)
    running, queued = Counter[str](), Counter[str]()
    counts = {"running": running, "waiting": queued}
    for change, name in changes:
        kind, by = CHANGES[change]
        if counts[kind][name] + by >= 0:
            counts[kind][name] += by
            load.change(name[0], name, **{kind: by})

        own = {each: waiting_for_organization(running, queued, each) for each in "AB"}
        for each, organization in load.organizations.items():
            assert organization.slots.running == running_of(running, each)
            assert organization.slots.waiting == own[each]
        assert load.slots.running == running.total()
        assert load.slots.waiting == sum(own[each] for each in "AB" if running_of(running, each) < ORGANIZATION)
        assert set(load.organizations) == {name[0] for name in (+running | +queued)}


def test_runs_of_small_operations_make_no_room() -> None:
    now, seconds, waiting, run = 0.0, 0.5, 200, 100
    short, long = 0.001, 0.009
    slots = Slots(1, lambda: now, running=1)
    slots.wait(waiting)
    rooms = []
    for gap in [short, long] * 3:
        for _ in range(run):
            now += gap
            slots.leave()
            slots.running += 1  # the next one starts
        rooms.append(slots.room(seconds) - slots.limit)

    usual = seconds / ((short + long) / 2)
    assert all(usual / 2 < each < usual * 2 for each in rooms[1:])
