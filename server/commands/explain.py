import json
from pathlib import Path
from typing import Any

import click
from graphql import OperationType

from executor import Executor, Request, Unsupported, core_schema
from schema.api import api
from server.complexity import Limits, rule
from server.documents import Documents, operation_of
from server.errors import InvalidOperation
from server.settings import Settings


@click.command()
@click.argument("query", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--variables", metavar="JSON", default="{}", help="They decide what `@skip` and `@include` let through.")
@click.option("--operation", metavar="NAME", help="Which one, where the file has several.")
def explain(query: Path, variables: str, operation: str | None) -> None:
    """Print the Python that a query in the file QUERY is compiled to: its levels, batches and answer.

    No database is asked.
    """
    try:
        given: Any = json.loads(variables)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"{error}", param_hint="--variables") from None
    if not isinstance(given, dict):
        raise click.BadParameter("an object is needed", param_hint="--variables")
    click.echo(_explained(query, given, operation), nl=False)


def _explained(query: Path, variables: dict[str, Any], name: str | None) -> str:
    limits = Settings()
    documents = Documents(
        core_schema(api),
        rule(Limits(depth=limits.max_depth, fields=limits.max_fields, cost=limits.max_cost)),
        limits.max_tokens,
        capacity=0,
    )
    try:
        document = documents.get(query.read_text("utf-8"))
        operation = operation_of(document, name)
        if operation.operation is not OperationType.QUERY:
            raise click.ClickException(
                "Only queries are compiled whole: of a mutation, graphql-core runs the root fields"
            )
        return Executor(api, believes_rows=True).explain(Request(document, operation, variables))
    except (InvalidOperation, Unsupported, UnicodeDecodeError) as error:
        raise click.ClickException(" ".join(f"{query}: {error}".split())) from None
