from pathlib import Path

import click

from mainsheet.server.commands.as_code import ExitingWith1, check_owner, force, run_remote, token, url
from mainsheet.server.commands.file_errors import file_errors
from mainsheet.server.job_files import files
from mainsheet.server.job_files.document import Document
from mainsheet.server.job_files.json_schema import json_schema
from mainsheet.server.job_files.whole_file import write_whole
from mainsheet.server.organization_files.document import DOCUMENT, faults, is_same
from mainsheet.server.organization_files.state import read

SCHEMA = ".organization.schema.json"
HEADING = f"# yaml-language-server: $schema={SCHEMA}\n"


def _print_schema(context: click.Context, _: click.Parameter, *, is_given: bool) -> None:
    if is_given:
        click.echo(_schema(), nl=False)
        context.exit()


def _schema() -> bytes:
    return json_schema(DOCUMENT, "An organization")


@click.command(cls=ExitingWith1)
@url
@token
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, parameter, value: _print_schema(context, parameter, is_given=value),
    help="Print the JSON Schema of the file, and do nothing else.",
)
@force
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
def export(*, url: str, token: str, force: bool, path: Path | None) -> None:
    """Write an organization's teams, clusters, members, service accounts and saved queries as YAML.

    With FILE, writes it, and a JSON Schema for editors beside it; else prints it. A file that means the same already is
    left as it is, with its comments. One that has faults is refused, and so is one of another organization without
    --force. Tokens are never written. `mainsheet apply` takes the file.
    """
    document = run_remote(url, token, read).document()
    if path is None:
        click.echo(files.text_of(document), nl=False)
        return
    with file_errors():
        _write(path, document, force=force)
    click.echo(f"Exported the organization {document['organization']} to {path}.")


def _write(path: Path, document: Document, *, force: bool) -> None:
    if path.exists() and not path.is_file():
        raise click.ClickException(f"{path} isn't a regular file: choose another name, or none to print it")
    has_content = path.exists() and path.stat().st_size > 0  # an empty one may have been made for a container's mount
    written, problems = files.checked(path, faults) if has_content else (None, ())
    if problems:
        raise click.ClickException(f"{path} isn't the file of an organization, or has faults: {problems[0]}")
    if written:
        check_owner(path, written.get("organization"), document["organization"], force=force)
    write_whole(path.parent / SCHEMA, _schema())
    if written is None or not is_same(written, document):
        write_whole(path, HEADING + files.text_of(document))
