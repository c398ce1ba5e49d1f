import os

import click

from mainsheet.server.commands.options import given_options, json_option, shown, variable, with_settings
from mainsheet.server.commands.table import show, table
from mainsheet.server.environment import FILE, secrets
from mainsheet.server.observe.redaction import MASK, url_without_secrets
from mainsheet.server.settings import Settings

COLUMNS = {"SETTING": "", "VALUE": "", "ORIGIN": ""}


@click.command(name="settings")
@click.option("--describe", is_flag=True, help="Print a description below each setting.")
@json_option
@with_settings("database_url", "host", "port", "demo")
def settings(settings: Settings, *, describe: bool, as_json: bool) -> None:
    """Print every setting, its value (secrets masked) and where it comes from.

    A secret setting may also be given as a file: MAINSHEET_DATABASE_URL_FILE=/run/secrets/database-url.
    """
    rows = [(variable(name), _shown(settings, name), _origin(name)) for name in Settings.model_fields]
    descriptions = [each.description for each in Settings.model_fields.values()]
    if as_json:
        show(
            {**COLUMNS, "DESCRIPTION": ""},
            [(*row, each) for row, each in zip(rows, descriptions, strict=True)],
            as_json=True,
        )
        return
    heading, *lines = table(tuple(COLUMNS), rows)
    click.echo(heading)
    for line, description in zip(lines, descriptions, strict=True):
        click.echo(line)
        if describe:
            click.echo(f"    {description}\n")


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return ",".join(_masked(shown(each), name) for each in (value if isinstance(value, tuple) else (value,)))


def _masked(text: str, name: str) -> str:
    if text and name in secrets() and "://" not in text:
        return MASK
    return url_without_secrets(text)


def _origin(name: str) -> str:
    if name in given_options():
        return "option"
    in_environment = {key.upper() for key, value in os.environ.items() if value}
    if variable(name) + FILE in in_environment:
        return "file"
    return "environment" if variable(name) in in_environment else "default"
