"""Runs an operation and compares its result with the expected one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import strawberry

from mainsheet.executor import Executor, Outcome, Schema


class Observed(Schema):
    """Our drop-in. It remembers how each operation was executed."""

    @cached_property
    def outcomes(self) -> list[Outcome]:
        return []

    def make_executor(self) -> Executor:
        return Executor(self, observe=self.outcomes.append, runs_extensions=True)


@dataclass
class Api:
    """A schema of one of the two classes, executed in one of the two ways."""

    schema: Any
    is_sync: bool

    async def result(self, text: str | None, **given: Any) -> Any:
        if self.is_sync:
            return self.schema.execute_sync(text, **given)
        return await self.schema.execute(text, **given)

    async def gives(
        self,
        text: str | None,
        data: Mapping[str, Any] | None,
        outcome: Outcome | None,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        extensions: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> None:
        """Assert the result, including the order of keys, and how our drop-in got it.

        The outcome is None if the executor isn't called: Strawberry refuses the operation, or `Schema` hands it over.
        """
        self.forget()
        result = await self.result(text, **given)
        assert (result.data, [dict(error.formatted) for error in result.errors or ()]) == (data, [*errors])
        assert in_order(result.data) == in_order(data)
        assert (result.extensions or {}) == (extensions or {})
        self.was_executed(*([outcome] if outcome else []))

    def forget(self) -> None:
        if isinstance(self.schema, Observed):
            self.schema.outcomes.clear()

    def was_executed(self, *outcomes: Outcome) -> None:
        """Assert how our drop-in has executed all operations since `forget`, in any order."""
        if isinstance(self.schema, Observed):
            assert sorted(self.schema.outcomes) == sorted(outcomes)


def in_order(data: Any) -> str:
    return json.dumps(data, default=repr)


@dataclass(frozen=True)
class Make:
    """Makes schemas of one of the two classes. With a `base`, it is that class, or our drop-in mixed into it."""

    is_ours: bool
    is_sync: bool

    def __call__(self, query: type, *types: Any, base: type = strawberry.Schema, **options: Any) -> Api:
        made = type(base.__name__, (Observed, base), {}) if self.is_ours else base
        return Api(made(query, *types, **options), self.is_sync)
