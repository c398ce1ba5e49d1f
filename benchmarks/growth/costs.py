"""CPU of an operation, in this process and in PostgreSQL's; each round asks every database once, after the other."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import processor
from benchmarks.growth.asked import STEPS, Read, declared, reads
from benchmarks.growth.grown import Grown
from mainsheet.schema.context import Context
from testbed.ask import execute
from testbed.world import caller


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one operation, once."""

    group: str
    name: str
    role: str
    kind: str
    size: int
    cpu_ms: float


async def costs(databases: Sequence[Grown], rounds: int) -> list[Cost]:
    """Ask everything so often; what the first round costs, statements being prepared, isn't counted."""
    found: list[Cost] = []
    for role in databases[0].people:
        for read in reads():
            for number in range(rounds + 1):
                for each in databases if number % 2 else reversed(databases):
                    cost = await _read(each, role, read)
                    found += [cost] if number else []
        for number in range(rounds + 1):
            for each in databases if number % 2 else reversed(databases):
                life = [cost async for cost in _life(each, role, f"{role}-{number}")]
                found += life if number else []
    return found


async def _read(grown: Grown, role: str, read: Read) -> Cost:
    query, names = declared(read.query)
    _, cpu_ms = await _asked(grown, role, query, {name: grown.values[name] for name in names})
    return Cost(read.group, read.name, role, grown.kind, grown.size, cpu_ms)


async def _life(grown: Grown, role: str, number: str) -> AsyncIterator[Cost]:
    made: dict[str, Any] = {"number": number}
    for step in STEPS:
        data, cpu_ms = await _asked(grown, role, step.query, {"input": step.input(grown, made)})
        payload = data[step.name]
        if payload["userErrors"]:
            raise RuntimeError(f"{step.name}: {payload['userErrors']}")
        made.setdefault("id", (payload.get("job") or {}).get("id"))
        yield Cost("mutation", step.name, role, grown.kind, grown.size, cpu_ms)


async def _asked(grown: Grown, role: str, query: str, values: Mapping[str, Any]) -> tuple[Any, float]:
    asker = caller(grown.people[role])
    context = Context(grown.database, asker)
    before = _seconds(grown)
    try:
        result = await execute(query, values, context, asker)
    finally:
        await context.close()
    spent = _seconds(grown) - before
    if result.errors:
        raise RuntimeError(f"{query}: {result.errors}")
    return result.data, 1000 * spent


def _seconds(grown: Grown) -> float:
    return time.process_time() + sum(map(processor.seconds, grown.backends))
