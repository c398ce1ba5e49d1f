"""The command `mainsheet`."""

import click

from server.commands.db import db
from server.commands.explain import explain
from server.commands.schema import schema
from server.commands.serve import serve
from server.commands.settings import settings
from server.commands.token import token


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every setting is an environment variable MAINSHEET_…; `mainsheet settings` prints them all.",
)
@click.version_option(package_name="mainsheet", prog_name="mainsheet")
def main() -> None:
    """Mainsheet: the GraphQL API for versioned data jobs."""


for command in (serve, db, token, schema, explain, settings):
    main.add_command(command)


if __name__ == "__main__":
    main()
