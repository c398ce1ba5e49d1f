import os

import click

from mainsheet.server.commands.options import given_options, variable, with_settings
from mainsheet.server.commands.table import table
from mainsheet.server.observe.redaction import MASK, without_secrets
from mainsheet.server.settings import Settings

HEADINGS = ("SETTING", "VALUE", "ORIGIN")


@click.command(name="settings")
@with_settings("database_url", "host", "port", "demo")
def settings(settings: Settings) -> None:
    """Print every setting, its value (secrets masked) and where it comes from."""
    rows = [(variable(name), _shown(settings, name), _origin(name)) for name in Settings.model_fields]
    for line in table(HEADINGS, rows):
        click.echo(line)


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    extra = Settings.model_fields[name].json_schema_extra
    if isinstance(extra, dict) and extra.get("secret"):
        return without_secrets(str(value)) if "://" in str(value) else MASK
    if isinstance(value, tuple):
        return without_secrets(",".join(map(str, value)))
    return "" if value is None else without_secrets(str(value))


def _origin(name: str) -> str:
    if name in given_options():
        return "option"
    in_environment = {key.upper() for key, value in os.environ.items() if value}
    return "environment" if variable(name) in in_environment else "default"
