"""A fair queue of operations: round robin over organizations, and over the callers in each."""

import asyncio
from bisect import insort
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from mainsheet.resolvers.caller import Caller


@dataclass(frozen=True)
class Capacity:
    """The maximum numbers of running operations in total, per organization and per caller, and of queued ones."""

    total: int
    organization: int
    caller: int
    organization_queue: int
    caller_queue: int

    @classmethod
    def of(
        cls, total: int, *, caller: int, queue: int, organization_factor: int, organization_share: float = 1
    ) -> Self:
        """With a share below 1, no organization can use all slots, so that its long operations don't block others."""
        organization = max(1, int(total * organization_share))
        return cls(total, organization, caller, queue * organization_factor, queue)


SECONDS_A_POINT = 0.0001  # a list of 100 jobs with their relations gives way for a quarter of a second
MOST_SECONDS = 1.0


@dataclass(order=True, slots=True)
class _Turn:
    """An operation that waits. A large one waits as if it had come later, and so is never overtaken for ever."""

    rank: float
    number: int
    future: asyncio.Future[None] = field(compare=False)


class FairQueue:
    """Starts operations: round robin over organizations, in each over callers, and for a caller small ones first.

    When an operation ends, all that may start are started, so that a new one never overtakes a waiting one.
    """

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._running: dict[str, int] = {}  # by organization id and by member id
        self._total = 0
        self._waiting: dict[str, dict[str, list[_Turn]]] = {}  # in the order of their turns
        self._numbers = count()

    @property
    def slots(self) -> int:
        return self._capacity.total

    def may_start(self, caller: Caller) -> bool:
        return self._total < self._capacity.total and not self.is_at_limit(caller)

    def is_at_limit(self, caller: Caller) -> bool:
        """Return whether the caller's or its organization's limit, not the server's, is reached."""
        if self._running.get(caller.actor_id, 0) >= self._capacity.caller:
            return True
        return self._capacity.total > self._capacity.organization <= self._running.get(caller.organization_id, 0)

    def is_full(self, caller: Caller) -> bool:
        """Return whether the caller's or its organization's limit of queued operations is reached."""
        lines = self._waiting.get(caller.organization_id, {})
        own = len(lines.get(caller.actor_id, ()))
        return own >= self._capacity.caller_queue or sum(map(len, lines.values())) >= self._capacity.organization_queue

    def start(self, caller: Caller) -> bool:
        """Start an operation of the caller if it may start now, and return whether it did."""
        if not self.may_start(caller):
            return False
        self._count(caller.organization_id, caller.actor_id, 1)
        return True

    async def enter(self, caller: Caller, cost: int = 0) -> None:
        """Wait until an operation of the caller may run."""
        if self.start(caller):
            return
        turn = self._queued(caller, cost)
        try:
            await turn.future
        except asyncio.CancelledError:
            if turn.future.cancelled():
                self._remove(caller.organization_id, caller.actor_id, turn)
            else:  # its turn came at the same time
                self.leave(caller)
            raise

    def leave(self, caller: Caller) -> None:
        """Record that an operation of the caller has ended."""
        self._count(caller.organization_id, caller.actor_id, -1)
        while self._waiting and self._total < self._capacity.total and self._start_next():
            pass

    def _queued(self, caller: Caller, cost: int) -> _Turn:
        loop = asyncio.get_running_loop()
        rank = loop.time() + min(MOST_SECONDS, cost * SECONDS_A_POINT)
        turn = _Turn(rank, next(self._numbers), loop.create_future())
        lines = self._waiting.setdefault(caller.organization_id, {})
        insort(lines.setdefault(caller.actor_id, []), turn)
        return turn

    def _start_next(self) -> bool:
        for organization, lines in self._waiting.items():
            if self._running.get(organization, 0) >= self._capacity.organization:
                continue
            for member, line in lines.items():
                turn = next((each for each in line if not each.future.cancelled()), None)
                if turn is not None and self._running.get(member, 0) < self._capacity.caller:
                    self._count(organization, member, 1)
                    turn.future.set_result(None)
                    self._move_to_the_end(organization, member)
                    self._remove(organization, member, turn)
                    return True
        return False

    def _move_to_the_end(self, organization: str, member: str) -> None:
        lines = self._waiting.pop(organization)
        lines[member] = lines.pop(member)
        self._waiting[organization] = lines

    def _remove(self, organization: str, member: str, turn: _Turn) -> None:
        lines = self._waiting[organization]
        lines[member].remove(turn)
        if not lines[member]:
            del lines[member]
        if not lines:
            del self._waiting[organization]

    def _count(self, organization: str, member: str, by: int) -> None:
        self._total += by
        for key in (organization, member):
            count = self._running.get(key, 0) + by
            if count:
                self._running[key] = count
            else:
                del self._running[key]
