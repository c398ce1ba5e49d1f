"""What an operation cost: in `extensions.cost`, for who sends `X-Mainsheet-Trace: 1` where the settings allow it."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from graphql import ExecutionResult, GraphQLSchema

from executor import Request
from models.database import Database
from schema.context import Batch, Context
from server.budget import Spending
from server.complexity import Limits, weigh
from server.execution import Executions
from server.fields import Paths, fields_of
from server.settings import Settings

HEADER = "X-Mainsheet-Trace"


@dataclass(frozen=True, slots=True)
class Asked:
    batch: Batch
    keys: int


@dataclass(frozen=True, slots=True)
class Statement:
    asked: Asked | None  # none where no relation asks, as in a change itself
    sql: str
    seconds: float


@dataclass(slots=True)
class Trace:
    statements: list[Statement] = field(default_factory=list)


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


def is_allowed(settings: Settings) -> bool:
    return settings.trace or settings.demo


def is_wanted(request: web.Request) -> bool:
    return request.headers.get(HEADER) == "1"


def context_type(settings: Settings) -> type[Context]:
    """Only where traces are allowed does each batch say that it is one."""
    return TracedContext if is_allowed(settings) else Context


class TracedContext(Context):
    async def load_all(self, batch: Batch, keys: Sequence[Any], *arguments: Any, **more: Any) -> Mapping[Any, Any]:
        with _asking(Asked(batch, len(keys))):
            return await super().load_all(batch, keys, *arguments, **more)

    def _load_fn(self, batch: Batch, arguments: tuple[Any, ...]) -> Callable[[list[Any]], Awaitable[Sequence[Any]]]:
        load = super()._load_fn(batch, arguments)

        async def traced(keys: list[Any]) -> Sequence[Any]:
            with _asking(Asked(batch, len(keys))):
                return await load(keys)

        return traced


@contextmanager
def _asking(asked: Asked) -> Iterator[None]:
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


class Tracer:
    """Runs operations as `Executions` does, and tells what they cost."""

    def __init__(self, executions: Executions, schema: GraphQLSchema, limits: Limits, database: Database) -> None:
        self._executions = executions
        self._schema = schema
        self._limits = limits
        database.listeners.append(_hear)
        database.write_listeners.append(_hear)

    async def run(self, request: Request, spending: Spending | None = None) -> ExecutionResult:
        trace, begun = Trace(), time.perf_counter()
        token = _trace.set(trace)
        try:
            result = await self._executions.run(request, spending)
        finally:
            _trace.reset(token)
        cost = self._cost(request, trace, time.perf_counter() - begun) | (spending.told() if spending else {})
        return ExecutionResult(result.data, result.errors, {**(result.extensions or {}), "cost": cost})

    def _cost(self, request: Request, trace: Trace, seconds: float) -> dict[str, Any]:
        fields = fields_of(self._schema, request.document, request.operation)
        return {
            **weigh(self._schema, request.document, request.operation),
            "limits": {"cost": self._limits.cost, "fields": self._limits.fields, "depth": self._limits.depth},
            "milliseconds": _milliseconds(seconds),
            "statements": list(_shown(trace.statements, fields)),
        }


def _shown(statements: Sequence[Statement], fields: Mapping[Any, Paths]) -> Iterator[dict[str, Any]]:
    """A batch may be asked at more than one level: level follows level, so its next one is meant."""
    reached, waiting = 0, {batch: sorted(paths) for batch, paths in fields.items()}
    for statement in statements:
        asked = statement.asked
        paths = fields.get(asked.batch) if asked else None
        level = _next_level(waiting[asked.batch], reached) if asked and paths else 0
        reached = max(reached, level)
        yield {
            "level": level,
            "fields": paths[level] if paths else [],
            "keys": asked.keys if asked else None,
            "milliseconds": _milliseconds(statement.seconds),
            "sql": statement.sql,
        }


def _next_level(waiting: list[int], reached: int) -> int:
    """Take the levels before it off; the last one stays for what is asked in several statements."""
    while len(waiting) > 1 and waiting[0] < reached:
        waiting.pop(0)
    return waiting.pop(0) if len(waiting) > 1 else waiting[0]


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _hear(sql: str, seconds: float) -> None:
    if trace := _trace.get():
        trace.statements.append(Statement(_asked.get(), sql, seconds))
