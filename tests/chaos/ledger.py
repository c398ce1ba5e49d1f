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


class Result(StrEnum):
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
        return self in {Result.DONE, Result.REFUSED}

    @property
    def leaves_doubt(self) -> bool:
        return self in {Result.UNHINTED, Result.UNSURE, Result.CUT, Result.SURPRISED}


@dataclass
class Ledger:
    """Counts for each effect how often it was acknowledged and how often its outcome is unknown."""

    done: Counter[Effect] = field(default_factory=Counter)
    unknown: Counter[Effect] = field(default_factory=Counter)
    numbers: dict[Effect, int] = field(default_factory=dict)
    keyed: set[Effect] = field(default_factory=set)
    answers: Counter[Result] = field(default_factory=Counter)
    acknowledged: int = 0
    surprises: list[str] = field(default_factory=list)
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def failures(self) -> Counter[Result]:
        """The number of requests that got no response, or a refusal."""
        return Counter({result: count for result, count in self.answers.items() if not result.is_answer})

    def reset_counts(self) -> None:
        """Count the answers to the next fault from 0. What is compared with the database stays."""
        self.answers.clear()
        self.acknowledged = 0

    async def count(self, result: Result, what: str) -> None:
        """Count a response, including those of reads."""
        self.answers[result] += 1
        if result is Result.SURPRISED:
            self.surprises.append(what)
        async with self.progress:
            self.progress.notify_all()

    async def settle(self, effect: Effect, result: Result, answer: dict[str, Any]) -> None:
        """Record the outcome of a change."""
        if result is Result.DONE:
            self.done[effect] += 1
            self.acknowledged += 1
            if answer.get("version"):
                self.numbers[effect] = answer["version"]["number"]
        elif result.leaves_doubt:
            self.unknown[effect] += 1
        async with self.progress:
            self.progress.notify_all()
