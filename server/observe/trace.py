"""The trace of an operation: its statements and costs, in `extensions.cost` of its result.

A client gets it with the header `X-Mainsheet-Trace: 1`, where the settings allow it.
"""

import time
from asyncio import Future
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from graphql import ExecutionResult
from graphql.pyutils import Path

from mainsheet.executor import Place
from mainsheet.models.database import Database
from mainsheet.models.instrumentation import OperationInstrument
from mainsheet.resolvers.caller import Caller
from mainsheet.schema.context import Batch, Context
from mainsheet.server.operations.budget import Spending
from mainsheet.server.operations.operation_store import Operation
from mainsheet.server.settings import Settings

HEADER = "X-Mainsheet-Trace"
NOWHERE = Place(0, ())


@dataclass(frozen=True, slots=True)
class BatchCall:
    place: Place
    keys: int


@dataclass(frozen=True, slots=True)
class Statement:
    call: BatchCall | None  # None outside of batches, as in a command
    sql: str
    seconds: float


_batch_call: ContextVar[BatchCall | None] = ContextVar("batch_call", default=None)


def is_allowed(settings: Settings) -> bool:
    return settings.trace or settings.demo


def is_wanted(request: web.Request) -> bool:
    return request.headers.get(HEADER) == "1"


def context_type(settings: Settings) -> type[Context]:
    """Return the context class: batches are recorded only if traces are allowed."""
    return TracedContext if is_allowed(settings) else Context


class TracedContext(Context):
    """A context that records which fields call each batch: given by the compiled executor, or by resolvers' paths."""

    def __init__(self, database: Database, caller: Caller) -> None:
        super().__init__(database, caller)
        self._levels: dict[tuple[str, ...], int] = {}
        self._waiting: dict[tuple[Any, ...], dict[tuple[str, ...], None]] = {}

    async def load_all(
        self, batch: Batch, keys: Sequence[Any], *arguments: Any, place: Place | None = None, **more: Any
    ) -> Mapping[Any, Any]:
        with _calling(BatchCall(place or NOWHERE, len(keys))):
            return await super().load_all(batch, keys, *arguments, **more)

    def load(self, batch: Batch, key: Any, *arguments: Any, path: Path | None = None) -> "Future[Any] | Any":
        if path:
            keys = tuple(each for each in path.as_list() if isinstance(each, str))
            above = (self._levels[keys[:end]] for end in range(len(keys) - 1, 0, -1) if keys[:end] in self._levels)
            self._levels[keys] = 1 + next(above, 0)
            self._waiting.setdefault((batch, arguments), {})[keys] = None
        return super().load(batch, key, *arguments)

    def _load_fn(self, batch: Batch, arguments: tuple[Any, ...]) -> Callable[[list[Any]], Awaitable[Sequence[Any]]]:
        load = super()._load_fn(batch, arguments)

        async def traced(keys: list[Any]) -> Sequence[Any]:
            fields = tuple(self._waiting.pop((batch, arguments), ()))
            place = Place(min((self._levels[each] for each in fields), default=0), fields)
            with _calling(BatchCall(place, len(keys))):
                return await load(keys)

        return traced


@contextmanager
def _calling(call: BatchCall) -> Iterator[None]:
    token = _batch_call.set(call)
    try:
        yield
    finally:
        _batch_call.reset(token)


@dataclass(eq=False)
class Trace(OperationInstrument):
    """Records the statements of one operation and its duration."""

    operation: Operation
    spending: Spending
    begun: float = field(default_factory=time.perf_counter)
    statements: list[Statement] = field(default_factory=list)

    def statement(self, sql: str, seconds: float) -> None:
        self.statements.append(Statement(_batch_call.get(), sql, seconds))

    def added_to(self, result: ExecutionResult) -> ExecutionResult:
        """Return the result with the trace in its extensions."""
        limits, extent = self.operation.limits, self.operation.extent
        cost = {
            "depth": extent.depth,
            "fields": extent.fields,
            "limits": {"cost": limits.cost, "fields": limits.fields, "depth": limits.depth},
            "milliseconds": _milliseconds(time.perf_counter() - self.begun),
            "statements": [*map(_shown, self.statements)],
            **self.spending.extensions(),
        }
        return ExecutionResult(result.data, result.errors, {**(result.extensions or {}), "cost": cost})


def _shown(statement: Statement) -> dict[str, Any]:
    call = statement.call
    place = call.place if call else NOWHERE
    return {
        "level": place.level,
        "fields": [".".join(path) for path in place.fields],
        "keys": call.keys if call else None,
        "milliseconds": _milliseconds(statement.seconds),
        "sql": statement.sql,
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
