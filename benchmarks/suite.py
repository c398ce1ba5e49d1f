"""The two executors over every operation that the tests of the API execute: `python -m benchmarks.suite`.

A query is executed by both on the spot, in turn; the CPU times' minima are compared. A change can't be made twice:
chance sends it to one of them, and the medians are compared. On PostgreSQL, whose own work isn't in this process.
"""

import gc
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles

import pytest
from graphql import ExecutionResult, FieldNode, OperationDefinitionNode, OperationType, print_ast

from benchmarks.report import short
from executor import Executor, Outcome, Request, refer
from schema.api import api
from schema.context import Context
from tests.api import ask

RESULT = Path(__file__).parent / "results" / "suite.md"
TESTS = ("tests/api", "-k", "postgresql", "-p", "no:randomly", "--quiet", "--no-header")
PAIRS, AGAIN = 5, 40
SUSPECT = 0.95  # from here on a ratio is measured again, more often
MOST_OF_ONE_TEXT = 3
WORST = 20
FEWEST = 5

Run = Callable[[Request], Awaitable[ExecutionResult]]


@dataclass(frozen=True)
class Measured:
    """Milliseconds of CPU of one query."""

    text: str
    outcome: Outcome
    compiled: float
    reference: float

    @property
    def ratio(self) -> float:
        return self.compiled / self.reference


@dataclass
class Suite:
    """A plugin of pytest's that executes what the tests execute, and times it."""

    queries: list[Measured] = field(default_factory=list)
    changes: dict[str, tuple[list[float], list[float]]] = field(default_factory=lambda: defaultdict(lambda: ([], [])))
    _outcomes: list[Outcome] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)
    _random: Random = field(default_factory=lambda: Random(20261125))
    _is_busy: bool = False

    def __post_init__(self) -> None:
        compiled = Executor(api, believes_rows=True, observe=self._outcomes.append).execute
        self._runs: tuple[Run, Run] = (compiled, partial(refer, api))

    @pytest.fixture(autouse=True)
    def _instead_of_the_executor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._is_busy = False
        monkeypatch.setattr(ask, "EXECUTOR", self)

    async def execute(self, request: Request) -> ExecutionResult:
        if self._is_busy:  # what runs beside another one would be timed with it
            return await self._runs[0](request)
        self._is_busy = True
        try:
            return await self._timed(request)
        finally:
            self._is_busy = False

    async def _timed(self, request: Request) -> ExecutionResult:
        if request.operation.operation is OperationType.MUTATION:
            return await self._change(request)
        text = print_ast(request.document)
        if self._seen[text] < MOST_OF_ONE_TEXT:
            self._seen[text] += 1
            await self._query(text, request)
        return await self._runs[0](request)

    async def _change(self, request: Request) -> ExecutionResult:
        text = print_ast(request.document)
        self._seen[text] += 1
        if self._seen[text] == 1:  # compiles
            return await self._runs[0](request)
        which = self._random.randrange(2)
        result, seconds = await _executed(self._runs[which], request)
        self.changes[_root_fields(request.operation)][which].append(seconds * 1000)
        return result

    async def _query(self, text: str, request: Request) -> None:
        listeners, request.context.database.listeners[:] = request.context.database.listeners[:], []
        try:
            await self._pair(request)  # compiles, and prepares statements
            pairs = [await self._pair(request) for _ in range(PAIRS)]
            outcome = self._outcomes[-1]
            if _minimum(pairs, 0) > SUSPECT * _minimum(pairs, 1):
                pairs += [await self._pair(request) for _ in range(AGAIN)]
        finally:
            request.context.database.listeners[:] = listeners
        self.queries.append(Measured(" ".join(text.split()), outcome, _minimum(pairs, 0), _minimum(pairs, 1)))

    async def _pair(self, request: Request) -> list[float]:
        times = []
        for run in self._runs:
            context = Context(request.context.database, request.root)
            own = Request(request.document, request.operation, request.variables, context, request.root)
            try:
                times.append((await _executed(run, own))[1])
            finally:
                await context.close()
        return times


async def _executed(run: Run, request: Request) -> tuple[ExecutionResult, float]:
    gc.disable()
    try:
        begun = time.process_time()
        result = await run(request)
        return result, time.process_time() - begun
    finally:
        gc.enable()


def _minimum(pairs: Sequence[Sequence[float]], which: int) -> float:
    return min(pair[which] for pair in pairs) * 1000


def _root_fields(operation: OperationDefinitionNode) -> str:
    names = [each.name.value for each in operation.selection_set.selections if isinstance(each, FieldNode)]
    return ", ".join(dict.fromkeys(names))


def _queries(suite: Suite) -> Iterator[str]:
    yield f"# The two executors over the tests of the API, {datetime.now(UTC).date()}\n"
    texts = {each.text for each in suite.queries}
    yield f"{len(suite.queries)} executions of {len(texts)} queries, milliseconds of CPU of this process: the"
    yield f"least of {PAIRS} executions in turn, of {PAIRS + AGAIN} where the ratio was above {SUSPECT}.\n"
    yield "| executed | how many | ratio to graphql-core's: least | median | 90 % | 99 % | most |"
    yield "|---|---|---|---|---|---|---|"
    for outcome in Outcome:
        if ratios := sorted(each.ratio for each in suite.queries if each.outcome is outcome):
            cuts = quantiles(ratios, n=100, method="inclusive") if len(ratios) > 1 else ratios * 99
            shown = (ratios[0], cuts[49], cuts[89], cuts[98], ratios[-1])
            yield f"| {outcome} | {len(ratios)} | {' | '.join(f'{each:.2f}' for each in shown)} |"


def _worst(suite: Suite) -> Iterator[str]:
    yield f"\nThe {WORST} queries with the highest ratio:\n"
    yield "| operation | executed | ms | by graphql-core | ratio |"
    yield "|---|---|---|---|---|"
    worst = {each.text: each for each in sorted(suite.queries, key=lambda each: each.ratio)}  # of each text the last
    for each in sorted(worst.values(), key=lambda each: -each.ratio)[:WORST]:
        text = each.text.replace("|", "\\|")
        times = f"{short(each.compiled)} | {short(each.reference)} | {each.ratio:.2f}"
        yield f"| `{text:.100}` | {each.outcome} | {times} |"


def _changes(suite: Suite) -> Iterator[str]:
    yield "\nChanges, in parts: medians of different executions, each on a new database with no statement prepared:"
    yield "they spread widely, and a few say little. `executor.md` has changes that are repeated.\n"
    yield "| mutation | how many | ms | by graphql-core | ratio |"
    yield "|---|---|---|---|---|"
    for name, (compiled, reference) in sorted(suite.changes.items()):
        if min(len(compiled), len(reference)) >= FEWEST:
            ours, theirs = median(compiled), median(reference)
            count = len(compiled) + len(reference)
            yield f"| {name} | {count} | {short(ours)} | {short(theirs)} | {ours / theirs:.2f} |"


def main() -> None:
    suite = Suite()
    code = pytest.main([*(sys.argv[1:] or TESTS)], plugins=[suite])
    text = "\n".join([*_queries(suite), *_worst(suite), *_changes(suite), ""])
    print(text)
    if not sys.argv[1:]:
        RESULT.write_text(text, "utf-8")
    sys.exit(code)


if __name__ == "__main__":
    main()
