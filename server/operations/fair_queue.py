"""A fair queue of operations: round robin over organizations, and over the callers in each."""

import asyncio
import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from mainsheet.resolvers.caller import Caller
from mainsheet.server.operations.load import Load


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


# How long an operation gives way to smaller ones of its caller: a small part of what all may wait under overload.
SECONDS_A_POINT = 0.0001
MOST_SECONDS = 0.1


@dataclass(order=True, slots=True)
class _Turn:
    """An operation that waits. A large one waits as if it had come later, and so is never overtaken for ever."""

    rank: float
    number: int
    future: asyncio.Future[None] = field(compare=False)
    is_limited: bool = field(compare=False)


class FairQueue:
    """Starts operations: round robin over organizations, in each over callers, and for a caller small ones first.

    When an operation ends, all that may start are started, so that a new one never overtakes a waiting one.
    """

    def __init__(self, capacity: Capacity, clock: Callable[[], float] = time.monotonic) -> None:
        self.load = Load(capacity.total, capacity.organization, capacity.caller, clock)
        self._capacity = capacity
        self._clock = clock
        self._waiting: dict[str, dict[str, list[_Turn]]] = {}  # in the order of their turns
        self._numbers = count()

    @property
    def is_queued(self) -> bool:
        return bool(self._waiting)

    def may_start(self, caller: Caller) -> bool:
        return not self.load.slots.are_taken and not self.is_at_limit(caller)

    def is_at_limit(self, caller: Caller) -> bool:
        """Return whether the caller's or its organization's limit, not the server's, is reached."""
        organization = self.load.organizations.get(caller.organization_id)
        if organization is None:
            return False
        own = organization.callers.get(caller.actor_id)
        if own and own.running >= self._capacity.caller:
            return True
        return self._capacity.total > self._capacity.organization and organization.slots.are_taken

    def is_full(self, caller: Caller) -> bool:
        """Return whether the caller's or its organization's limit of queued operations is reached."""
        organization = self.load.organizations.get(caller.organization_id)
        if organization is None:
            return self._capacity.caller_queue <= 0
        own = organization.callers.get(caller.actor_id)
        if (own.waiting if own else 0) >= self._capacity.caller_queue:
            return True
        return organization.waiting >= self._capacity.organization_queue

    def start(self, caller: Caller) -> bool:
        """Start an operation of the caller if it may start now, and return whether it did."""
        if not self.may_start(caller):
            return False
        self.load.change(caller.organization_id, caller.actor_id, running=1)
        return True

    async def enter(self, caller: Caller, cost: int = 0, *, is_limited: bool = True) -> None:
        """Wait until an operation of the caller may run.

        If it isn't limited, it doesn't count as waiting: neither for `is_full`, nor for the wait that others expect.
        """
        if self.start(caller):
            return
        turn = self._queued(caller, cost, is_limited=is_limited)
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
        self.load.change(caller.organization_id, caller.actor_id, running=-1)
        while self._waiting and not self.load.slots.are_taken and self._start_next():
            pass

    def _queued(self, caller: Caller, cost: int, *, is_limited: bool) -> _Turn:
        rank = self._clock() + min(MOST_SECONDS, cost * SECONDS_A_POINT)
        turn = _Turn(rank, next(self._numbers), asyncio.get_running_loop().create_future(), is_limited)
        lines = self._waiting.setdefault(caller.organization_id, {})
        insort(lines.setdefault(caller.actor_id, []), turn)
        if is_limited:
            self.load.change(caller.organization_id, caller.actor_id, waiting=1)
        return turn

    def _start_next(self) -> bool:
        for organization, lines in self._waiting.items():
            load = self.load.organizations.get(organization)
            if load and load.slots.are_taken:
                continue
            for member, line in lines.items():
                turn = next((each for each in line if not each.future.cancelled()), None)
                own = load.callers.get(member) if load else None
                if turn is not None and (own is None or own.running < self._capacity.caller):
                    self.load.change(organization, member, running=1)
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
        if turn.is_limited:
            self.load.change(organization, member, waiting=-1)
