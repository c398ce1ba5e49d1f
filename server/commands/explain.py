import asyncio
import json
from pathlib import Path
from typing import Any

import click
from graphql import OperationType
from sqlalchemy import make_url

from executor import Refused, Request, Unsupported, core_schema
from models.errors import BadInput
from models.roles import OrganizationRole
from schema.api import api
from server.complexity import Limits, rule
from server.documents import Documents, operation_of
from server.errors import InvalidOperation
from server.explanation import NOWHERE, Dialect, explained
from server.settings import Settings


@click.command()
@click.argument("query", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--variables", metavar="JSON", default="{}", help="They decide what `@skip` and `@include` let through.")
@click.option("--operation", metavar="NAME", help="Which one, where the file has several.")
@click.option("--dialect", type=click.Choice(list(NOWHERE)), help="Whose SQL; by default that of the database set.")
@click.option("--role", type=click.Choice(list(OrganizationRole)), default="MEMBER", help="Of whoever asks.")
def explain(
    query: Path, variables: str, operation: str | None, dialect: Dialect | None, role: OrganizationRole
) -> None:
    """Print the Python that a query in the file QUERY is compiled to: levels, batches, SQL, the answer.

    No database is asked. A batch whose second statement follows from the rows of the first shows the first one.
    """
    try:
        given: Any = json.loads(variables)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"{error}", param_hint="--variables") from None
    if not isinstance(given, dict):
        raise click.BadParameter("an object is needed", param_hint="--variables")
    try:
        request = _request(query, given, operation)
        text = asyncio.run(explained(request, dialect or _dialect(), role))
    except (InvalidOperation, Unsupported, Refused, BadInput, UnicodeDecodeError) as error:
        raise click.ClickException(" ".join(f"{query}: {error}".split())) from None
    click.echo(text, nl=False)


def _request(query: Path, variables: dict[str, Any], name: str | None) -> Request:
    limits = Settings()
    documents = Documents(
        core_schema(api),
        rule(Limits(depth=limits.max_depth, fields=limits.max_fields, cost=limits.max_cost)),
        limits.max_tokens,
        capacity=0,
    )
    document = documents.get(query.read_text("utf-8"))
    operation = operation_of(document, name)
    if operation.operation is not OperationType.QUERY:
        raise click.ClickException("Only queries are compiled whole: of a mutation, graphql-core runs the root fields")
    return Request(document, operation, variables)


def _dialect() -> Dialect:
    """The database's that is set; PostgreSQL's if none is."""
    settings = Settings()
    is_sqlite = (
        "database_url" in settings.model_fields_set and make_url(settings.database_url).get_backend_name() == "sqlite"
    )
    return "sqlite" if is_sqlite else "postgresql"
