"""The command `mainsheet`. Subcommands are imported on demand, so that `--help` is fast."""

from functools import cache
from importlib import import_module
from typing import Any

import click

from mainsheet.server.process.garbage import uncollected
from mainsheet.server.standard_streams import open_standard_streams

# Each command is in the module of the same name, whose help begins with the text given here.
COMMANDS = {
    "serve": "Answer GraphQL requests at /graphql until SIGTERM or SIGINT; with workers, SIGHUP replaces them.",
    "db": "The database.",
    "init": "Make an organization with an administrator, and print the administrator's token and nothing else.",
    "token": "Bearer tokens of members and service accounts.",
    "apply": "Make an organization's teams, clusters, members, service accounts and saved queries what FILE says.",
    "export": "Write an organization's teams, clusters, members, service accounts and saved queries as YAML.",
    "organization": "The organizations of the database.",
    "members": "Members of any server.",
    "jobs": "Jobs as code: export jobs of any server to YAML files, compare the files with a server, and apply them.",
    "documents": "Trusted documents, which are the only ones that run if MAINSHEET_DOCUMENTS is `trusted`.",
    "schema": "The GraphQL schema.",
    "explain": "Print the Python that a query in the file QUERY is compiled to, with the SQL of each batch.",
    "settings": "Print every setting, its value (secrets masked) and where it comes from.",
}


class Commands(click.Group):
    def main(self, *arguments: Any, **options: Any) -> Any:
        open_standard_streams()
        return super().main(*arguments, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click calls it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        return _imported(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@cache
def _imported(name: str) -> click.Command:
    with uncollected():
        command: click.Command = getattr(import_module(f"mainsheet.server.commands.{name}"), name)
    return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every setting is an environment variable MAINSHEET_…; `mainsheet settings` prints them all.",
)
@click.version_option(package_name="mainsheet", prog_name="mainsheet")
def main() -> None:
    """Mainsheet: the GraphQL API for versioned data jobs."""


if __name__ == "__main__":
    main()
