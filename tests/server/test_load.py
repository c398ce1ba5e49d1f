"""Who waits for which slots, compared with a count from scratch."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from mainsheet.server.operations.load import Load

TOTAL, ORGANIZATION, CALLER = 3, 2, 1
CALLERS = ("A1", "A2", "A3", "B1")
CHANGES = ("wait", "leave the queue", "start", "end")


def waiting(running: Counter[str], queued: Counter[str], organization: str) -> int:
    """Return how many of an organization's operations don't wait for their caller's limit."""
    return sum(queued[each] for each in CALLERS if each[0] == organization and running[each] < CALLER)


def running_of(running: Counter[str], organization: str) -> int:
    return sum(count for name, count in running.items() if name[0] == organization)


@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.sampled_from(CALLERS)), max_size=80))
def test_operations_are_counted_for_the_slots_that_they_wait_for(changes: Iterable[tuple[str, str]]) -> None:
    load, running, queued = Load(TOTAL, ORGANIZATION, CALLER, lambda: 0), Counter[str](), Counter[str]()
    for change, name in changes:
        counts, key = (queued, "waiting") if change in CHANGES[:2] else (running, "running")
        by = 1 if change in ("wait", "start") else -1
        if counts[name] + by >= 0:
            counts[name] += by
            load.change(name[0], name, **{key: by})

        own = {each: waiting(running, queued, each) for each in "AB"}
        for each, organization in load.organizations.items():
            assert organization.slots.running == running_of(running, each)
            assert organization.slots.waiting == own[each]
        assert load.slots.running == running.total()
        assert load.slots.waiting == sum(own[each] for each in "AB" if running_of(running, each) < ORGANIZATION)
        assert set(load.organizations) == {name[0] for name in (+running | +queued)}
