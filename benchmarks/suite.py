"""The two executors over every operation that the tests of the API execute: `python -m benchmarks.suite`.

Both execute it on the spot, a change too: what it changes is put back each time. The ratio is the median over pairs of
executions, one right after the other: what else the machine does hits both. On PostgreSQL, whose own work isn't in
this process.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import pytest
from graphql import ExecutionResult, print_ast

from benchmarks.repeated import Repeated, Run, repeated
from benchmarks.report import short
from mainsheet.executor import Executor, Outcome, Request, refer
from mainsheet.schema.api import api
from testbed import ask

RESULT = Path(__file__).parent / "results" / "suite.md"
TESTS = ("tests/api", "-k", "postgresql", "-p", "no:randomly", "--quiet", "--no-header")
WARM = 2  # pairs that compile, and prepare statements on each connection
PAIRS = ((0.0, 5), (0.95, 40), (0.98, 155), (1.0, 400))  # above this ratio, so many more
MOST_OF_ONE_TEXT = 2
WORST = 20


@dataclass(frozen=True)
class Measured:
    """One operation by both executors, so many milliseconds of CPU each time."""

    text: str
    outcome: Outcome
    pairs: list[tuple[float, float]]

    @property
    def compiled(self) -> float:
        return median(compiled for compiled, _ in self.pairs)

    @property
    def reference(self) -> float:
        return median(reference for _, reference in self.pairs)

    @property
    def ratio(self) -> float:
        return median(compiled / reference for compiled, reference in self.pairs) if self.pairs else 1


@dataclass
class Suite:
    """A plugin of pytest's that executes what the tests execute, and times it."""

    texts: set[str] = field(default_factory=set)
    measured: list[Measured] = field(default_factory=list)
    _outcomes: list[Outcome] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        compiled = Executor(api, believes_rows=True, observe=self._outcomes.append).execute
        self._runs: tuple[Run, Run] = (compiled, partial(refer, api))

    @pytest.fixture(autouse=True)
    def _instead_of_the_executor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ask, "EXECUTOR", self)

    async def execute(self, request: Request) -> ExecutionResult:
        text = " ".join(print_ast(request.operation.document).split())
        self.texts.add(text)
        is_alone = asyncio.all_tasks() == {asyncio.current_task()}  # another one would be timed with it, and undone
        if is_alone and self._seen[text] < MOST_OF_ONE_TEXT:
            self._seen[text] += 1
            async with repeated(request) as operation:
                self.measured.append(await self._measure(text, operation))
        return await self._runs[0](request)

    async def _measure(self, text: str, operation: Repeated) -> Measured:
        await self._pairs(operation, WARM)
        measured = Measured(text, self._outcomes[-1], [])
        for suspect, count in PAIRS:
            if measured.ratio >= suspect:
                measured.pairs.extend(await self._pairs(operation, count))
        return measured

    async def _pairs(self, operation: Repeated, count: int) -> list[tuple[float, float]]:
        """Execute it by both, so many times; who is first changes."""
        pairs = []
        for each in range(count):
            order = (0, 1) if each % 2 else (1, 0)
            times = {which: await operation.milliseconds(self._runs[which]) for which in order}
            pairs.append((times[0], times[1]))
        return pairs


def _ratios(suite: Suite) -> Iterator[str]:
    yield f"# The two executors over the tests of the API, {datetime.now(UTC).date()}\n"
    beside = suite.texts - {each.text for each in suite.measured}
    often = ", ".join(f"{count} above {suspect}" for suspect, count in PAIRS[1:])
    yield f"{len(suite.measured)} executions of {len(suite.texts) - len(beside)} operations, repeated by both in turn,"
    yield "in milliseconds of CPU of this process; what they had changed was put back. The ratio is the median of"
    yield f"{PAIRS[0][1]} pairs, and of so many more: {often}."
    yield f"Changes are executed in parts. Not measured, as they only run beside others: {len(beside)}.\n"
    yield "| executed | how many | ratio to graphql-core's: least | median | 90 % | 99 % | most |"
    yield "|---|---|---|---|---|---|---|"
    for outcome in Outcome:
        if ratios := sorted(each.ratio for each in suite.measured if each.outcome is outcome):
            cuts = quantiles(ratios, n=100, method="inclusive") if len(ratios) > 1 else ratios * 99
            shown = (ratios[0], cuts[49], cuts[89], cuts[98], ratios[-1])
            yield f"| {outcome} | {len(ratios)} | {' | '.join(f'{each:.2f}' for each in shown)} |"


def _worst(suite: Suite) -> Iterator[str]:
    yield f"\nThe {WORST} operations with the highest ratio:\n"
    yield "| operation | executed | ms | by graphql-core | ratio |"
    yield "|---|---|---|---|---|"
    worst = {each.text: each for each in sorted(suite.measured, key=lambda each: each.ratio)}  # of each text the last
    for each in sorted(worst.values(), key=lambda each: -each.ratio)[:WORST]:
        text = each.text.replace("|", "\\|")
        times = f"{short(each.compiled)} | {short(each.reference)} | {each.ratio:.2f}"
        yield f"| `{text:.100}` | {each.outcome} | {times} |"


def main() -> None:
    suite = Suite()
    code = pytest.main([*(sys.argv[1:] or TESTS)], plugins=[suite])
    text = "\n".join([*_ratios(suite), *_worst(suite), ""])
    print(text)
    if not sys.argv[1:] and code == pytest.ExitCode.OK:
        RESULT.write_text(text, "utf-8")
    sys.exit(code)


if __name__ == "__main__":
    main()
