"""Slots for operations, and how long one would wait for them.

By Little's law, the expected wait is the number of operations that wait, multiplied by the time between two that leave.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

SAMPLES = 32  # the mean time between two departures is that of at least about so many


@dataclass(eq=False, slots=True)
class Slots:
    """The slots of the server, or those that one organization may use."""

    limit: int
    clock: Callable[[], float]
    running: int = 0
    waiting: int = 0  # for these slots only: not those that wait for their caller's or organization's own limit
    reading: int = 0  # requests that were let in and are being read: their operations aren't known yet
    _gap: float = 0.0  # seconds between two departures while operations wait
    _samples: int = 0
    _last: float = 0.0  # the latest departure, or the beginning of the queue

    @property
    def are_taken(self) -> bool:
        return self.running >= self.limit

    @property
    def total(self) -> int:
        return self.running + self.waiting + self.reading

    def leave(self) -> None:
        if self.waiting:
            self._measure()
        self.running -= 1

    def _measure(self) -> None:
        """Measure the time between two departures, as the mean of about as many as operations wait.

        Small operations leave in runs, because they start first. The mean of a run would admit more than can be served.
        """
        now = self.clock()
        if self.are_taken:
            self._samples = min(max(SAMPLES, self.waiting), self._samples + 1)
            self._gap += (now - self._last - self._gap) / self._samples
        self._last = now

    def wait(self, change: int) -> None:
        """Record that more or fewer operations wait for these slots."""
        if not self.waiting:
            self._last = self.clock()
        self.waiting += change

    def room(self, seconds: float) -> float:
        """Return how many operations may wait or run so that the newest one's wait isn't expected to be longer."""
        stalled = max(0.0, self.clock() - self._last - self._gap)  # none leaves
        left = seconds - stalled
        if left <= 0:
            return self.limit
        return self.limit + left / self._gap if self._gap else float("inf")


@dataclass(eq=False, slots=True)
class CallerLoad:
    running: int = 0
    waiting: int = 0
    reading: int = 0

    @property
    def total(self) -> int:
        return self.running + self.waiting + self.reading


@dataclass(eq=False, slots=True)
class OrganizationLoad:
    """An organization's operations. Its slots know the waiting ones of callers that are below their limit."""

    slots: Slots
    waiting: int = 0
    callers: dict[str, CallerLoad] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.slots.running + self.waiting + self.slots.reading


class Load:
    """Counts operations that run and that wait, and requests that are being read, by organization and by caller."""

    def __init__(self, total: int, organization: int, caller: int, clock: Callable[[], float]) -> None:
        self.slots = Slots(total, clock)
        self.organizations: dict[str, OrganizationLoad] = {}
        self._organization = organization
        self._caller = caller

    def change(self, organization: str, caller: str, *, running: int = 0, waiting: int = 0, reading: int = 0) -> None:
        """Count one operation more or less that runs or waits, or one request that is being read."""
        load = self.organizations.get(organization)
        if load is None:
            load = self.organizations[organization] = OrganizationLoad(Slots(self._organization, self.slots.clock))
        own = load.callers.get(caller)
        if own is None:
            own = load.callers[caller] = CallerLoad()
        if reading:
            for each in (own, load.slots, self.slots):
                each.reading += reading
        elif waiting or load.waiting:
            self._change_queued(load, own, running, waiting)
        else:
            self._run(load, own, running)
        if not own.total:
            del load.callers[caller]
            if not load.callers:
                del self.organizations[organization]

    def _change_queued(self, load: OrganizationLoad, own: CallerLoad, running: int, waiting: int) -> None:
        before, before_of_all = self._for_organization(own), _for_all(load)
        self._run(load, own, running)
        own.waiting += waiting
        load.waiting += waiting
        load.slots.wait(self._for_organization(own) - before)
        self.slots.wait(_for_all(load) - before_of_all)

    def _run(self, load: OrganizationLoad, own: CallerLoad, change: int) -> None:
        own.running += change
        for each in (load.slots, self.slots):
            if change > 0:
                each.running += 1
            elif change < 0:
                each.leave()

    def _for_organization(self, own: CallerLoad) -> int:
        """Return how many of a caller's operations wait for a slot of its organization, not for one of its own."""
        return own.waiting if own.running < self._caller else 0


def _for_all(load: OrganizationLoad) -> int:
    """Return how many of an organization's operations wait for a slot of the server, not for one of its own."""
    return 0 if load.slots.are_taken else load.slots.waiting
