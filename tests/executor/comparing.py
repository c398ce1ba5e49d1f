"""Compares compiled execution with graphql-core's."""

import asyncio
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult

from mainsheet.executor import Executor, Outcome, Request, refer

# graphql-core leaves coroutines behind that it cancels.
COROUTINES_ARE_LEFT = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def said(message: str, *path: str | int, at: tuple[int, int], **extensions: str) -> dict[str, Any]:
    """Return an error as a response has it; `at` is its line and column."""
    answer: dict[str, Any] = {"message": message, "locations": [{"line": at[0], "column": at[1]}]}
    if path:
        answer["path"] = [*path]
    return answer | ({"extensions": extensions} if extensions else {})


def shown(result: ExecutionResult) -> Any:
    return result.data, sorted(str(error.formatted) for error in result.errors or ())


async def compared(api: strawberry.Schema, ours: Request, reference: Request) -> tuple[Any, Outcome]:
    """Assert that both executors give the same for equal requests. Return it, and how the compiled one did it."""
    outcomes: list[Outcome] = []
    executor = Executor(api, observe=outcomes.append)
    async with asyncio.timeout(20):
        expected = shown(await asyncio.create_task(refer(api, reference)))  # a task has context variables of its own
        assert shown(await asyncio.create_task(executor.execute(ours))) == expected
    return expected, outcomes[0]
