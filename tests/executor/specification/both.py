"""Runs an operation by both executors and compares the results with one expected result."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode, parse, validate

from mainsheet.executor import Executor, Outcome, Prepared, Request, core_schema, refer
from tests.executor.specification.relation import Context
from tests.executor.specification.rows import Row
from tests.executor.specification.world import api

NOTHING = Row()
OUTCOMES: list[Outcome] = []
EXECUTOR = Executor(api, observe=OUTCOMES.append)  # one for all tests: what it caches must make no difference


async def holds(
    text: str,
    data: Mapping[str, Any] | None,
    outcome: Outcome,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    root: Any = NOTHING,
    store: Mapping[str, Any] | None = None,
    variables: dict[str, Any] | None = None,
    name: str | None = None,
) -> Context:
    """Assert the result of both executors, including the order of keys, and how the compiled one got it.

    Returns what the compiled one's operation left behind.
    """
    prepared = operation(validated(text), name)
    reference, compiled = (Request(prepared, variables, Context(store or {}), root) for _ in range(2))
    OUTCOMES.clear()

    answers = [shown(await refer(api, reference)), shown(await EXECUTOR.execute(compiled))]

    assert answers == [(json.dumps(data), [*errors])] * 2
    assert [outcome] == OUTCOMES
    assert isinstance(compiled.context, Context)
    return compiled.context


@cache
def validated(text: str) -> DocumentNode:
    document = parse(text)
    assert validate(core_schema(api), document) == []
    return document


def operation(document: DocumentNode, name: str | None) -> Prepared:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and (name is None or (node.name and node.name.value == name)):
            return Prepared(core_schema(api), document, node)
    raise LookupError(name)


def shown(result: ExecutionResult) -> tuple[str, list[Any]]:
    return json.dumps(result.data), [dict(error.formatted) for error in result.errors or ()]
