import asyncio
from pathlib import Path
from typing import Any

import click
import orjson
from graphql import OperationType

from mainsheet.executor import Refused, Request, Unsupported, core_schema
from mainsheet.models.errors import BadInput
from mainsheet.models.roles import OrganizationRole
from mainsheet.schema.api import api
from mainsheet.server.commands.options import with_settings
from mainsheet.server.errors import InvalidOperation
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.documents import OperationNotNamed
from mainsheet.server.operations.explanation import NOWHERE, Dialect, explained
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.settings import Settings


@click.command()
@click.argument("query", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--variables", metavar="JSON", default="{}", help="The variables in `@skip` and `@include` matter.")
@click.option("--operation", metavar="NAME", help="The operation, if the file has several.")
@click.option(
    "--dialect", type=click.Choice(list(NOWHERE)), help="The SQL dialect. Defaults to that of the configured database."
)
@click.option(
    "--role", type=click.Choice(list(OrganizationRole)), default="MEMBER", help="The caller's role in the organization."
)
@with_settings()
def explain(
    settings: Settings,
    *,
    query: Path,
    variables: str,
    operation: str | None,
    dialect: Dialect | None,
    role: OrganizationRole,
) -> None:
    """Print the Python that a query in the file QUERY is compiled to, with the SQL of each batch.

    No database is needed. If a statement of a batch depends on the rows of another one, only the first is shown.
    """
    given = _variables(variables)

    async def explanation(text: str) -> str:
        request = await _request(settings, text, operation, given)
        return await explained(request, dialect or _dialect(settings), role)

    try:
        shown = asyncio.run(explanation(query.read_text("utf-8")))
    except Unsupported as unsupported:
        raise click.ClickException(f"{query}: graphql-core runs this query, because of {unsupported}") from None
    except OperationNotNamed:
        raise click.ClickException(f"{query}: several operations: name one with --operation") from None
    except (InvalidOperation, Refused, BadInput, UnicodeDecodeError) as error:
        raise click.ClickException(" ".join(f"{query}: {error}".split())) from None
    click.echo(shown, nl=False)


def _variables(text: str) -> dict[str, Any]:
    try:
        given: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise click.BadParameter(f"{error}", param_hint="--variables") from None
    if not isinstance(given, dict):
        raise click.BadParameter("an object is needed", param_hint="--variables")
    return given


async def _request(settings: Settings, text: str, name: str | None, variables: dict[str, Any]) -> Request:
    store = OperationStore(core_schema(api), Limits.of(settings), capacity=0)
    operation = await store.get(text, name)
    if operation.kind is not OperationType.QUERY:
        raise click.ClickException("Only queries can be explained: graphql-core runs the root fields of a mutation")
    operation.check(variables)
    return Request(operation.prepared, variables)


def _dialect(settings: Settings) -> Dialect:
    """Return the dialect of the configured database, or PostgreSQL's if none is configured."""
    is_sqlite = "database_url" in settings.model_fields_set and settings.database_url.startswith("sqlite")
    return "sqlite" if is_sqlite else "postgresql"
