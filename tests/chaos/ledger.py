"""Records the responses that clients got, for the comparison with the database."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from mainsheet.models.event import EventAction


class Effect(NamedTuple):
    """The event that a request adds to a job's history. The mark identifies the request."""

    action: EventAction
    mark: str


class Told(StrEnum):
    """The outcome of a request, as far as its client knows it."""

    DONE = "acknowledged"
    REFUSED = "refused"  # by the domain's rules
    UNAVAILABLE = "unavailable"  # 503 with Retry-After: nothing was changed
    UNHINTED = "503 without Retry-After"
    UNSURE = "unsure"  # 500, or 502 of a proxy, that says so: the change may have been made
    CUT = "cut"  # the connection ended before an answer
    SURPRISED = "surprised"  # anything else

    @property
    def is_answer(self) -> bool:
        return self in {Told.DONE, Told.REFUSED}

    @property
    def leaves_doubt(self) -> bool:
        return self in {Told.UNHINTED, Told.UNSURE, Told.CUT, Told.SURPRISED}


@dataclass
class Ledger:
    """Counts for each effect how often it was acknowledged and how often its outcome is unknown."""

    done: Counter[Effect] = field(default_factory=Counter)
    unknown: Counter[Effect] = field(default_factory=Counter)
    numbers: dict[Effect, int] = field(default_factory=dict)
    keyed: set[Effect] = field(default_factory=set)
    answers: Counter[Told] = field(default_factory=Counter)
    acknowledged: int = 0
    surprises: list[str] = field(default_factory=list)
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def failures(self) -> Counter[Told]:
        """The number of requests that got no response, or a refusal."""
        return Counter({told: count for told, count in self.answers.items() if not told.is_answer})

    def reset_counts(self) -> None:
        """Count the answers to the next fault from 0. What is compared with the database stays."""
        self.answers.clear()
        self.acknowledged = 0

    async def count(self, told: Told, what: str) -> None:
        """Count a response, including those of reads."""
        self.answers[told] += 1
        if told is Told.SURPRISED:
            self.surprises.append(what)
        async with self.progress:
            self.progress.notify_all()

    async def settle(self, effect: Effect, told: Told, answer: dict[str, Any]) -> None:
        """Record the outcome of a change."""
        if told is Told.DONE:
            self.done[effect] += 1
            self.acknowledged += 1
            if answer.get("version"):
                self.numbers[effect] = answer["version"]["number"]
        elif told.leaves_doubt:
            self.unknown[effect] += 1
        async with self.progress:
            self.progress.notify_all()
