"""Runs operations on the schema as a member or service account."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from graphql import ExecutionResult, GraphQLError, parse, validate

from mainsheet.executor import Executor, Prepared, Request, core_schema, refer
from mainsheet.models.actor import Actor
from mainsheet.models.database import Database
from mainsheet.resolvers.caller import Caller
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.operations.documents import RULES, operation_of
from testbed.statements import Statements
from testbed.world import World, caller

CREATE_JOB = """
mutation ($input: CreateJobInput!) {
  createJob(input: $input) { job { id revision } userErrors { __typename code message path } }
}
"""


EXECUTOR = Executor(api, believes_rows=True)


async def execute(query: str, variables: Mapping[str, Any], context: Context, root: Caller) -> ExecutionResult:
    """Run the operation by the executor that `MAINSHEET_EXECUTOR` names, as the server does."""
    operation = prepared(query)
    if isinstance(operation, list):
        return ExecutionResult(None, operation)
    run = partial(refer, api) if os.environ.get("MAINSHEET_EXECUTOR") == "reference" else EXECUTOR.execute
    return await run(Request(operation, dict(variables), context, root))


@lru_cache(256)
def prepared(query: str) -> Prepared | list[GraphQLError]:
    """Return the prepared operation or its errors. Cached by its text, as the server does."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return [error]
    errors = validate(core_schema(api), document, RULES)
    return errors or Prepared(core_schema(api), document, operation_of(document, None))


class Failed(Exception):
    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass
class Ask:
    database: Database
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database.instrumentation.add(Statements(self.statements))

    async def __call__(self, actor: Actor | Caller, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data. Raises `Failed` if there are top-level errors."""
        asker = actor if isinstance(actor, Caller) else caller(actor)
        context = Context(self.database, asker)
        self.statements.clear()
        try:
            result = await execute(query, variables, context, asker)
        finally:
            await context.close()
        if result.errors:
            raise Failed(result.errors)
        assert result.data is not None
        return result.data

    async def errors(self, actor: Actor | Caller, query: str, **variables: Any) -> Sequence[GraphQLError]:
        """Return the top-level errors."""
        try:
            await self(actor, query, **variables)
        except Failed as failed:
            return failed.errors
        return []

    async def create_job(self, actor: Actor, world: World, **values: Any) -> str:
        """Create a job in `data_eng` on the active cluster and return its id."""
        data = await self(actor, CREATE_JOB, input=job_input(world, **values))
        assert data["createJob"]["userErrors"] == []
        return str(data["createJob"]["job"]["id"])


def job_input(world: World, **values: Any) -> dict[str, Any]:
    own = {"jobKey": "daily-sales-etl", "name": "Daily sales", "teamIds": [world.data_eng.id], "config": config(world)}
    return own | values


def config(world: World, **values: Any) -> dict[str, Any]:
    own: Mapping[str, Any] = {"clusterId": world.cluster.id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    return dict(own) | values
