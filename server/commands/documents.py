from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import click

from mainsheet.executor import core_schema
from mainsheet.models.errors import BadInput
from mainsheet.models.limits import NAME
from mainsheet.schema.api import api
from mainsheet.server.commands.options import json_option, with_settings
from mainsheet.server.commands.running import migrated, run
from mainsheet.server.commands.table import counted, show
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.settings import Settings
from mainsheet.server.trusted_documents import catalogue, manifest
from mainsheet.server.trusted_documents.catalogue import Client, Listed

COLUMNS = {"ID": "", "OPERATIONS": "", "CLIENTS": "", "ADDED": "", "LAST USED": "never"}
NO_CLIENT = "(none)"  # it was added without `--client`
LIMITS = ("max_tokens", "max_depth", "max_fields", "max_cost")


@click.group()
def documents() -> None:
    """Trusted documents, which are the only ones that run if MAINSHEET_DOCUMENTS is `trusted`."""


def _checked(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return a client's name or version as it is stored."""
    if value is None:
        return None
    value = NAME.form.normal(value)
    for problem in NAME.check(value, (str(parameter.name),)):
        raise click.BadParameter(problem.reason)
    return value


client_option = click.option("--client", metavar="NAME", callback=_checked, help="The client that has the documents.")
version_option = click.option("--client-version", metavar="VERSION", callback=_checked, help="The client's version.")


@documents.command()
@click.argument("manifests", metavar="MANIFEST...", nargs=-1, required=True, type=click.File("rb"))
@client_option
@version_option
@with_settings("database_url", *LIMITS)
def add(settings: Settings, *, manifests: Sequence[BinaryIO], client: str | None, client_version: str | None) -> None:
    """Add the documents of each MANIFEST; `-` is the standard input.

    A manifest is a JSON file of Apollo's generate-persisted-query-manifest, of GraphQL Code Generator or of the Relay
    compiler. Each document must be valid for this version's schema and limits, or nothing of its manifest is added.
    Documents that were added before are kept as they are.
    """
    _require_client(client, client_version)
    run(_add(settings, manifests, Client(client or "", client_version or "")))


async def _add(settings: Settings, manifests: Sequence[BinaryIO], client: Client) -> None:
    store = OperationStore(core_schema(api), Limits.of(settings), capacity=0)
    async with migrated(settings) as database:
        for each in manifests:
            with _faults_in(each.name):
                found = await manifest.read(each.read(), store)
                new = await catalogue.add(database, found, client)
            click.echo(f"{each.name}: added {counted(new, 'document')}; {len(found) - new:,} already existed.")


@contextmanager
def _faults_in(name: str) -> Iterator[None]:
    """Name the manifest: others may have been added before it."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from None


@documents.command(name="list")
@json_option
@with_settings("database_url")
def list_(settings: Settings, *, as_json: bool) -> None:
    """Print all documents by the names of their operations. The last use is exact to about an hour."""
    run(_list(settings, as_json=as_json))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with migrated(settings) as database:
        found = await catalogue.listing(database)
    show(COLUMNS, [_cells(each, as_json=as_json) for each in found], as_json=as_json)


def _cells(document: Listed, *, as_json: bool) -> Sequence[Any]:
    names = [f"{each}" for each in document.clients]
    clients = list(filter(None, names)) if as_json else ", ".join([each or NO_CLIENT for each in names])
    return document.id, document.name, clients, document.added_at, document.last_used_at


@documents.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@client_option
@version_option
@click.option("--force", is_flag=True, help="Also remove recently used documents.")
@with_settings("database_url")
def remove(
    settings: Settings, *, ids: Sequence[str], client: str | None, client_version: str | None, force: bool
) -> None:
    """Remove the documents with these IDs, or those that only the client, or this version of it, has.

    Running servers refuse them some seconds later.
    """
    _require_client(client, client_version)
    if bool(ids) == (client is not None):
        raise click.UsageError("Name either IDs or --client.")
    run(_remove(settings, ids, client, client_version, is_forced=force))


async def _remove(
    settings: Settings, ids: Sequence[str], client: str | None, version: str | None, *, is_forced: bool
) -> None:
    async with migrated(settings) as database:
        if client is None:
            count = await catalogue.remove(database, ids, even_if_used=is_forced)
        else:
            count = await catalogue.remove_client(database, client, version, even_if_used=is_forced)
    click.echo(f"Removed {counted(count, 'document')}.")


def _require_client(client: str | None, version: str | None) -> None:
    if version is not None and client is None:
        raise click.UsageError("--client-version needs --client.")
