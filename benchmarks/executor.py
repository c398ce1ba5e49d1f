"""The compiled executor beside graphql-core, in one process, on SQLite: `python -m benchmarks.executor`.

Four ratios for each operation. To graphql-core's validation of a new document: compiling it, executing it for the first
time, and that less the execution of a known one. To graphql-core's execution of a known one: ours. CPU time, of
interleaved rounds the median.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import isnan, nan
from pathlib import Path
from statistics import median
from typing import Any

from graphql import ExecutionResult, validate
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.cases import Case, cases
from benchmarks.report import short
from mainsheet.demo import seed_demo
from mainsheet.executor import Executor, Outcome, Prepared, Request, core_schema, refer
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.migrate import upgrade
from mainsheet.resolvers.caller import Caller
from mainsheet.schema.api import api
from mainsheet.schema.context import Context

RESULTS = Path(__file__).parent / "results"
WHO = "contributor@harbor.example"
FULL, QUICK = 25, 7
HEADS = (
    *("operation", "outcome", "validate", "compile", "ratio", "first", "ratio", "added"),
    *("executed", "by graphql-core", "ratio"),
)

Run = Callable[[Request], Awaitable[ExecutionResult]]


@dataclass(frozen=True)
class Ratio:
    """Milliseconds of CPU. A mutation is compiled in parts, as it runs: that isn't measured, and not a number."""

    name: str
    outcome: Outcome
    validation: float
    compilation: float
    first: float
    compiled: float
    reference: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.executor", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    asked, _ = parser.parse_known_args()
    ratios = asyncio.run(_measured(QUICK if asked.quick else FULL))
    text = "\n".join([*_report(ratios), ""])
    print(text)
    if not asked.quick:
        (RESULTS / "executor.md").write_text(text, "utf-8")


async def _measured(rounds: int) -> list[Ratio]:
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as folder:
        database = Database.open(f"sqlite:///{folder}/demo.sqlite3")
        await upgrade(database)
        await seed_demo(database)
        who = await _caller(database)
        found = await cases(database)
        gc.collect()
        gc.freeze()
        ratios = [await _ratio(database, who, case, rounds) for case in found]
        await database.close()
    return ratios


async def _caller(database: Database) -> Caller:
    async with AsyncSession(database.reads) as session:
        member = (await session.scalars(select(Member).where(Member.email == WHO))).one()
    return Caller(member.id, member.organization_id, member.organization_role)


async def _ratio(database: Database, who: Caller, case: Case, rounds: int) -> Ratio:
    outcomes: list[Outcome] = []
    executor = Executor(api, believes_rows=True, keeps_datetimes=True, observe=outcomes.append)
    request = Request(case.operation, case.variables, None, who)
    times: list[list[float]] = [[], [], [], [], []]
    validation, compilation, first, compiled, reference = times
    for _ in range(rounds + 1):  # in the first one, the machine and our caches are cold
        compiled.append(await _executed(executor.execute, database, who, case))
        is_whole = outcomes[-1] in {Outcome.COMPILED, Outcome.RECOVERED}
        reference.append(await _executed(partial(refer, api), database, who, case))
        validation.append(_seconds(lambda: validate(core_schema(api), case.operation.document)))
        first.append(await _executed(executor.execute, database, who, case, _new(case)))
        compilation.append(_seconds(lambda: executor.rehearsal(request)) if is_whole else nan)
    return Ratio(case.name, outcomes[-1], *(median(each[1:]) * 1000 for each in times))


def _new(case: Case) -> Callable[[], Prepared]:
    """Return a function that prepares the operation as a new document's."""
    return partial(Prepared, core_schema(api), case.operation.document, case.operation.node)


async def _executed(
    run: Run, database: Database, who: Caller, case: Case, prepare: Callable[[], Prepared] | None = None
) -> float:
    context = Context(database, who)
    begun = time.process_time()
    operation = prepare() if prepare else case.operation
    await run(Request(operation, case.variables, context, who))
    await context.close()
    return time.process_time() - begun


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _report(ratios: Sequence[Ratio]) -> Iterator[str]:
    yield f"# The two executors, {datetime.now(UTC).date()}\n"
    yield "CPU milliseconds, in one process, on SQLite: of a new document, graphql-core's validation, our compilation"
    yield "and our first execution, which includes it; of a known one, our execution and graphql-core's. What a new"
    yield "document adds is the first execution less that of a known one, as a ratio to validation.\n"
    yield f"| {' | '.join(HEADS)} |"
    yield f"|{'---|' * len(HEADS)}"
    for each in ratios:
        times = each.validation, each.compilation, each.first, each.compiled, each.reference
        validation, compilation, first, compiled, reference = ("-" if isnan(time) else short(time) for time in times)
        to_validation = "-" if isnan(each.compilation) else f"{each.compilation / each.validation:.2f}"
        to_first = f"{each.first / each.validation:.2f}"
        added = f"{(each.first - each.compiled) / each.validation:.2f}"
        to_reference = f"{each.compiled / each.reference:.2f}"
        ours = each.name, each.outcome, validation, compilation, to_validation, first, to_first, added
        yield f"| {' | '.join([*ours, compiled, reference, to_reference])} |"


if __name__ == "__main__":
    main()
