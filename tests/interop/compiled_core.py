"""A plugin of pytest that puts the compiled executor in place of graphql-core's `execute` and `execute_sync`.

Calls with an argument that Strawberry never passes, such as `field_resolver`, stay graphql-core's.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from inspect import isawaitable, signature
from pathlib import Path
from typing import Any

import graphql
import strawberry
from graphql import Executor as CoreExecutor
from graphql import GraphQLError, GraphQLSchema, get_operation_ast, validate_schema
from graphql.execution.execute import assume_not_async_iterable, assume_not_awaitable

from mainsheet.executor import Executor, Outcome, Prepared, Request

GIVEN = {"schema", "document", "root_value", "context_value", "variable_values", "operation_name"}
PASSED_ON = {"is_awaitable", "is_async_iterable"}
INCREMENTAL = ("defer", "stream")  # `execute` refuses schemas that have them
OUTCOMES = Counter[Outcome]()


@strawberry.type
class _Query:
    none: str


@cache
def executor(schema: GraphQLSchema) -> Executor:
    """Return the executor of a schema that Strawberry didn't build."""
    api = strawberry.Schema(_Query, execution_context_class=CoreExecutor)
    api._schema = schema  # noqa: SLF001  # Strawberry has no public way to replace it
    return Executor(api, observe=lambda outcome: OUTCOMES.update([outcome]))


def request(arguments: dict[str, Any]) -> Request | None:
    """Return the request of a call, or None if it is to stay graphql-core's."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if given.keys() - GIVEN - PASSED_ON:
        return None
    try:
        schema, document = given["schema"], given["document"]
        operation = get_operation_ast(document, given.get("operation_name"))
        if validate_schema(schema) or operation is None or any(map(schema.get_directive, INCREMENTAL)):
            return None
        prepared = Prepared(schema, document, operation)
    except (AttributeError, GraphQLError, LookupError, RecursionError, TypeError):
        return None  # it isn't valid
    options = {name: given[name] for name in PASSED_ON & given.keys()}
    return Request(prepared, given.get("variable_values"), given.get("context_value"), given.get("root_value"), options)


def compiled(core: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    bound = dict(signature(core).bind(*arguments, **named).arguments)
    if core is CORE_SYNC and not bound.get("check_sync"):
        bound |= {"check_sync": None, "is_awaitable": assume_not_awaitable}
        bound |= {"is_async_iterable": assume_not_async_iterable}
    ours = request(bound)
    result = None if ours is None else executor(ours.operation.schema).execute_sync(ours)
    return core(*arguments, **named) if ours is None or (core is CORE_SYNC and isawaitable(result)) else result


CORE, CORE_SYNC = graphql.execution.execute, graphql.execution.execute_sync
execute, execute_sync = partial(compiled, CORE), partial(compiled, CORE_SYNC)
for module in (graphql, graphql.execution):
    vars(module).update(execute=execute, execute_sync=execute_sync)
HARNESS = graphql.default_harness._replace(execute=execute)
for name in ("graphql", "graphql_sync"):
    setattr(graphql, name, partial(getattr(graphql, name), harness=HARNESS))


def pytest_sessionfinish() -> None:
    """Write how often each way of execution was taken, so that the tests can't pass without compiled code."""
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(OUTCOMES))
